# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that ansible-vault encrypted as a whole; what is in it is never written to disk in the clear."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, parse_vaulttext_envelope

from ..module_utils._private_file import PrivateFileError, read_private, write_private

HEADER = b"$ANSIBLE_VAULT"
GIVE_ONE = "--vault-id, --ask-vault-pass, --vault-password-file or ANSIBLE_VAULT_PASSWORD_FILE"


@dataclass(frozen=True, repr=False)
class VaultFile:
    """The file as it was read: `text` is what is in it; secret and label are those to encrypt it with again."""

    path: Path
    vault: VaultLib
    encrypted: bytes
    text: bytes
    secret: VaultSecret
    label: str

    def replace(self, text: bytes) -> None:
        """Write the file whole with another text; PrivateFileError if it cannot be, or was changed meanwhile."""
        encrypted = self.vault.encrypt(text, secret=self.secret, vault_id=self.label)
        if read_private(self.path) != self.encrypted:
            raise PrivateFileError(f"{self.path}: was changed while this ran, so it is left as it is; start again")
        write_private(self.path, encrypted)


def open_vault_file(path: Path, vault: VaultLib) -> VaultFile | None:
    """Read the file with the secrets of `vault` (the loader's), None if there is none.

    PrivateFileError for a file that is not encrypted, that others may read, or that no secret opens.
    """
    encrypted = read_private(path)
    if encrypted is None:
        return None
    if not encrypted.startswith(HEADER):
        raise PrivateFileError(f"{path}: is not encrypted; run: ansible-vault encrypt {path}")
    if not vault.secrets:
        raise PrivateFileError(f"{path}: no vault secret was given to open it; give one by {GIVE_ONE}")
    # Causes are cut off: they may hold pieces of the text.
    try:
        label = parse_vaulttext_envelope(encrypted)[3]
        text, _vault_id, secret = vault.decrypt_and_get_vault_id(encrypted)
    except (AnsibleError, ValueError):
        raise PrivateFileError(
            f"{path}: cannot be decrypted: none of the vault secrets that were given is its own, or it is damaged"
        ) from None
    return VaultFile(path, vault, encrypted, text, secret, label)
