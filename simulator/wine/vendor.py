"""The vendor's programs for Wine machines: executables for Windows, and an installer that is a real MSI."""

from __future__ import annotations

import subprocess
import tempfile
import uuid
from functools import lru_cache
from pathlib import Path

from simulator.scenario import Vendor

_STANDINS = Path(__file__).with_name("standins")
_FAMILY = uuid.UUID("5b0d2f0e-6f57-4b5a-9d0e-0c5b7c1f5a10")
_INSTALLER = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{product}" UpgradeCode="{family}" Name="DIPS Interactor"
           Manufacturer="{publisher}" Version="{version}" Language="1033">
    <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/>
    <Media Id="1" Cabinet="interactor.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder">{folders}</Directory>
    </Directory>
    <Feature Id="Main" Level="1">
      <ComponentRef Id="Service"/><ComponentRef Id="Migrate"/><ComponentRef Id="Key"/>
    </Feature>
  </Product>
</Wix>
"""
_FILES = """
<Component Id="Service" Guid="{service_guid}" Win64="yes">
  <File Id="ServiceFile" Name="{service}" Source="service.exe" KeyPath="yes"/>
</Component>
<Component Id="Migrate" Guid="{migrate_guid}" Win64="yes">
  <File Id="MigrateFile" Name="{migrate}" Source="migrate.exe" KeyPath="yes"/>
</Component>
<Component Id="Key" Guid="{key_guid}" Win64="yes">
  <RegistryKey Root="HKLM" Key="SOFTWARE\\DIPS\\Interactor">
    <RegistryValue Name="Version" Type="string" Value="{version}" KeyPath="yes"/>
  </RegistryKey>
</Component>
"""


@lru_cache
def service_program(version: str) -> bytes:
    """A service for Windows that tells this version."""
    return _compiled("interactor.c", version, "-lws2_32", "-ladvapi32")


@lru_cache
def migration_program(version: str) -> bytes:
    """The migration program of this version."""
    return _compiled("migrate.c", version, "-mwindows", "-lws2_32", "-ladvapi32")


@lru_cache
def rights_program() -> bytes:
    """An icacls.exe that keeps who may be at a folder."""
    return _compiled("icacls.c", "10.0", "-municode", "-ladvapi32", "-luser32")


def installer(version: str, publisher: str, vendor: Vendor | None = None) -> bytes:
    """An MSI that puts service and migration program of this version in their folder below `C:\\Program Files`."""
    said = vendor or Vendor()
    names = said.install.split("\\")[2:]
    own = {part: uuid.uuid5(_FAMILY, f"{part} {version}") for part in ("product", "service", "migrate", "key")}
    files = _FILES.format(
        service=said.program,
        migrate=said.migrate.rpartition("\\")[2],
        version=version,
        service_guid=own["service"],
        migrate_guid=own["migrate"],
        key_guid=own["key"],
    )
    folders = files
    for number, name in reversed(list(enumerate(names))):
        folders = f'<Directory Id="Folder{number}" Name="{name}">{folders}</Directory>'
    with tempfile.TemporaryDirectory(prefix="interactor-msi-") as name:
        folder = Path(name)
        (folder / "service.exe").write_bytes(service_program(version))
        (folder / "migrate.exe").write_bytes(migration_program(version))
        text = _INSTALLER.format(
            product=own["product"], family=_FAMILY, publisher=publisher, version=version, folders=folders
        )
        (folder / "interactor.wxs").write_text(text, encoding="utf-8")
        _run(folder, "wixl", "-a", "x64", "-o", "interactor.msi", "interactor.wxs")
        return (folder / "interactor.msi").read_bytes()


def _compiled(source: str, version: str, *options: str) -> bytes:
    numbers = ",".join([*version.split("."), "0", "0", "0"][:4])
    with tempfile.TemporaryDirectory(prefix="interactor-exe-") as name:
        folder = Path(name)
        defines = f"#define VERSION_NUMBERS {numbers}\n#define VERSION {_quoted(version)}\n"
        resource = (_STANDINS / "version.rc").read_text(encoding="ascii")
        (folder / "version.rc").write_text(defines + resource, encoding="ascii")
        _run(folder, "x86_64-w64-mingw32-windres", "version.rc", "version.o")
        command = ["x86_64-w64-mingw32-gcc", "-O2", "-Wall", f"-DVERSION={_quoted(version)}", "-o", "made.exe"]
        _run(folder, *command, str(_STANDINS / source), "version.o", *options)
        return (folder / "made.exe").read_bytes()


def _quoted(text: str) -> str:
    return f'"{text}"'


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: code {done.returncode}: {done.stderr[:500]}")
