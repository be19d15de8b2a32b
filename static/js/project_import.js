// Sends the ZIP or the folder of a project as soon as it is chosen, and opens the page with what is in it.
import { csrfToken } from "./csrf.js";
import { projectFiles, zipFiles } from "./folder_zip.js";
import { openPage } from "./navigation.js";

const openForm = () => document.getElementById("project-form");
let sending = null; // given up when the page is left

const NOTHING_IN_IT = "There is no project of the SP-404MKII and no kit.json in this folder. " +
  "Choose the folder of a project, a card’s EXPORT, or a backup of the unit.";
const UNREACHABLE = "Can't reach the server. Check your connection, then try again.";
const UNREADABLE = "The browser could not read the folder. Check that the card is still there, then try again.";

function showProgress(form, words, share) {
  const box = form.querySelector(".project-sending");
  box.hidden = false;
  box.querySelector("progress").value = 100 * share;
  box.querySelector("p").textContent = words;
}

function showError(form, sentence) {
  const line = form.querySelector(".error");
  line.hidden = !sentence;
  line.textContent = sentence;
  if (sentence) form.querySelector(".project-sending").hidden = true;
  for (const input of form.querySelectorAll('input[type="file"]')) input.disabled = false;
}

function isTooLarge(form, files) {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size <= Number(form.dataset.maxBytes)) return false;
  showError(form, `These are more than ${form.dataset.max}, the most that your plan takes at once. ` +
    "Choose fewer projects, or upgrade your plan.");
  return true;
}

function send(form, file, name) {
  if (isTooLarge(form, [file])) return null;
  const body = new FormData();
  body.append("project", file, name);
  const request = new XMLHttpRequest();
  sending = request;
  request.responseType = "json";
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", csrfToken);
  request.upload.onprogress = (event) => {
    const share = event.loaded / event.total;
    showProgress(form, share === 1 ? "Looking into it" : `Sending ${name}`, share);
  };
  request.onload = () => {
    if (request.status === 201) openPage(request.response.url);
    else showError(form, request.response?.error || "That did not work. Try again.");
  };
  request.onerror = () => showError(form, UNREACHABLE);
  return request.send(body);
}

async function sendFolder(form, files) {
  const wanted = projectFiles(files);
  if (!wanted.length) return showError(form, NOTHING_IN_IT);
  if (isTooLarge(form, wanted)) return null; // before each of them is read
  const name = `${files[0].webkitRelativePath.split("/")[0]}.zip`;
  try {
    const archive = await zipFiles(wanted, (share) => showProgress(form, "Reading the folder", share));
    return form.isConnected ? send(form, archive, name) : null;
  } catch (error) {
    return showError(form, error instanceof DOMException ? UNREADABLE : error.message);
  }
}

document.addEventListener("page:leave", () => sending?.abort());
document.addEventListener("change", (event) => {
  const form = openForm();
  const files = form?.contains(event.target) ? [...event.target.files] : [];
  if (!files.length) return;
  showError(form, "");
  for (const input of form.querySelectorAll('input[type="file"]')) input.disabled = true;
  if (event.target.id === "project-folder") sendFolder(form, files);
  else send(form, files[0], files[0].name);
  event.target.value = "";
});
