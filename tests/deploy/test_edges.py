"""At the edge: nginx sends the sounds of the disk store, and everything is reached by IPv6."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from app.extensions import settings
from app.integrations.storage import open_store
from tests.services.nginx_front import HOST, Front, trusting
from tests.support import kick
from tests.web_process import Web

pytestmark = pytest.mark.services
ALLOWED = 5
KEY = "samples/owner/01 kick.wav"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web process that only listens at ::1."""
    edges = {"BIND": "[::1]", "MEDIA_BY_NGINX": "true", "BASE_URL": f"https://{HOST}"}
    limits = {"TRUSTED_PROXIES": "1", "API_REQUESTS_PER_MINUTE": str(ALLOWED)}
    made = Web(tmp_path_factory.mktemp("web"), **edges, **limits)
    made.url = made.url.replace("127.0.0.1", "[::1]")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, web: Web) -> Iterator[Front]:
    made = Front(tmp_path_factory.mktemp("nginx"), web.url, store=web.data_dir / "store")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def links(web: Web, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Links to a sound, to the same one as a download, and to one that is gone."""
    file = tmp_path_factory.mktemp("sound") / "kick.wav"
    file.write_bytes(kick())
    with web.database():
        store = open_store(settings())
        store.put(KEY, file, "audio/wav")
        heard = store.url(KEY, content_type="audio/wav")
        loaded = store.url(KEY, content_type="audio/wav", download_name="Käse kick.wav")
        return {"heard": heard, "loaded": loaded, "gone": store.url("samples/x", content_type="audio/wav")}


def test_nginx_sends_sounds_with_what_the_app_says_of_them(
    front: Front, web: Web, links: dict[str, str]
) -> None:
    with front.client() as client:
        whole = client.get(links["heard"], headers={"Accept-Encoding": "identity"})
        loaded = client.get(links["loaded"])
        unchanged = client.get(links["heard"], headers={"If-None-Match": whole.headers["ETag"]})
    assert (whole.status_code, whole.content, unchanged.status_code) == (200, kick(), 304)
    expected = httpx.get(f"{web.url}{links['heard']}", headers={"X-Request-ID": "r" * 32})
    assert expected.headers["X-Accel-Redirect"] == "/.media/samples/owner/01%20kick.wav"
    assert expected.content == b""
    own = {"server", "date", "connection", "content-length", "x-accel-redirect", "x-request-id"}
    told = {name: value for name, value in expected.headers.items() if name not in own}
    assert {name: whole.headers.get(name) for name in told} == told
    assert "x-accel-redirect" not in whole.headers
    assert len(whole.headers["X-Request-ID"]) == 32
    assert "attachment" in loaded.headers["Content-Disposition"]
    assert "K%C3%A4se%20kick.wav" in loaded.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("asked", "status", "sent"),
    [
        ("bytes=100-199", 206, slice(100, 200)),
        ("bytes=-50", 206, slice(-50, None)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("bytes=99999999-", 416, None),
    ],
)
def test_nginx_sends_ranges(
    front: Front, links: dict[str, str], asked: str, status: int, sent: slice | None
) -> None:
    with front.client() as client:
        answer = client.get(links["heard"], headers={"Range": asked, "Accept-Encoding": "identity"})
    assert answer.status_code == status
    if sent is not None:
        assert answer.content == kick()[sent]
        assert answer.headers["Content-Type"] == "audio/wav"


def test_files_are_only_sent_by_a_link_that_the_app_has_signed(front: Front, links: dict[str, str]) -> None:
    addresses = (f"/.media/{KEY}", f"{links['heard'][:-2]}xx", links["gone"], "/.media/../secret_key")
    with front.client() as client:
        assert [client.get(each).status_code for each in addresses] == [404] * len(addresses)


def test_clients_by_ipv6_are_served_and_counted_apart_from_others(front: Front) -> None:
    address = front.url.replace("127.0.0.1", "[::1]")
    guess = {"Host": HOST, "Authorization": "Bearer guess"}
    with httpx.Client(base_url=address, verify=trusting(), headers=guess, timeout=60) as by_six:
        assert by_six.get("/sign-in").status_code == 200
        assert [by_six.get("/api/usage").status_code for _ in range(ALLOWED + 1)] == [401] * ALLOWED + [429]
    with front.client() as by_four:
        assert by_four.get("/api/usage", headers=guess).status_code == 401
