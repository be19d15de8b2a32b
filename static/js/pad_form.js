// The settings of a pad as its form says them. The form is what the server reads.
const form = () => document.querySelector("#pad-panel form.settings");

export const settingField = (name) => form()?.elements[`pad-${name}`];

export function frameIn(name) {
  const text = settingField(name).value.trim();
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
}

export const chopsInForm = () =>
  settingField("chops").value.split(/[\s,;]+/).filter(Boolean).map(Number).filter(Number.isFinite);

// Return saved settings with what the form says now; what makes no sense stays as it was saved.
export function settingsInForm(saved) {
  const settings = { ...saved };
  for (const [name, was] of Object.entries(saved)) {
    const field = settingField(name);
    if (!field) continue;
    if (typeof was === "boolean") settings[name] = field.checked;
    else if (Array.isArray(was)) settings[name] = chopsInForm();
    else if (name === "end" || name === "loop_top") settings[name] = frameIn(name);
    else if (typeof was === "number") settings[name] = frameIn(name) ?? was;
    else settings[name] = field.value;
  }
  return settings;
}
