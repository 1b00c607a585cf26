#!/usr/bin/env python3
"""Holds our model cache against huggingface_hub (checked with 2.4.0), in both directions, over the scripted hub of tests/hub.

Run where `huggingface_hub` is installed: FI_FETCH_MODEL=build/tests/hub/fetch_model python tools/check_hub_cache.py
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "hub"))
from hub_server import COMMIT, Hub

FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"version": "1.0"}',
    "tokenizer_config.json": b"{ }",
    "generation_config.json": b"{  }",
    "model.safetensors": b"\x02\0\0\0\0\0\0\0{}",
}
PEER = """
import sys
from huggingface_hub import hf_hub_download
for name in sys.argv[1:]:
    print(hf_hub_download("org/model", name))
"""


def run(command: list[str], home: pathlib.Path, hub: Hub, **environment: str) -> str:
    variables = {
        "HF_HOME": str(home),
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
    }
    return subprocess.run(command, env=variables | environment, capture_output=True, text=True, check=True).stdout


def layout(home: pathlib.Path) -> dict[str, bytes | str]:
    model = home / "hub" / "models--org--model"
    return {
        str(path.relative_to(model)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in model.rglob("*")
        if (path.is_symlink() or path.is_file()) and ".no_exist" not in path.parts and "trees" not in path.parts
    }


def main() -> None:
    ours, peer = [os.environ["FI_FETCH_MODEL"], "org/model"], [sys.executable, "-c", PEER, *FILES]
    hub = Hub(FILES)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        made_by_us, made_by_peer = pathlib.Path(first), pathlib.Path(second)
        run(ours, made_by_us, hub)
        run(peer, made_by_peer, hub)
        assert layout(made_by_us) == layout(made_by_peer), (layout(made_by_us), layout(made_by_peer))
        hub.requests.clear()
        read_by_peer = run(peer, made_by_us, hub, HF_HUB_OFFLINE="1").split()
        assert read_by_peer == [str(made_by_us / "hub/models--org--model/snapshots" / COMMIT / name) for name in FILES]
        assert "model.safetensors" in run(ours, made_by_peer, hub, HF_HUB_OFFLINE="1")
        assert hub.requests == []
    hub.stop()
    print(f"the same {len(FILES)} files under the same names, each read by the other offline")


if __name__ == "__main__":
    main()
