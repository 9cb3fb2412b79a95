"""Noms des fichiers exportés : stables, lisibles, acceptés par Windows."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Noms que Windows réserve à ses périphériques, quelle que soit l'extension.
_RESERVES: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))]
)
LONGUEUR_MAX: Final = 60


def nommer_fichier(*parties: str, extension: str = "") -> str:
    """Composer un nom de fichier d'après des textes quelconques.

    Les accents tombent, tout autre signe que lettres, chiffres et tirets devient un tiret : le nom
    est le même sur tous les systèmes et ne peut ni sortir d'un dossier ni heurter Windows.

    Parameters
    ----------
    parties
        Morceaux, joints par ``_`` ; ceux qui ne laissent rien sont omis.
    extension
        Extension, point compris.

    Examples
    --------
    >>> nommer_fichier("fiche", "62 119", "Béthune / l’Œuvre", extension=".pdf")
    'fiche_62-119_bethune-l-oeuvre.pdf'
    >>> nommer_fichier("AUX", extension=".csv")
    'aux-.csv'
    """
    morceaux = [m for m in (_assainir(p) for p in parties) if m]
    nom = "_".join(morceaux)[:LONGUEUR_MAX].rstrip("-_") or "sans-nom"
    # Windows refuse « aux.csv » comme « aux ».
    return f"{nom}-{extension}" if nom in _RESERVES else f"{nom}{extension}"


def _assainir(texte: str) -> str:
    ligatures = texte.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss")
    # Séparer avant d'ôter les accents : l'apostrophe courbe disparaîtrait avec eux.
    separe = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFC", ligatures))
    plat = unicodedata.normalize("NFKD", separe).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plat).strip("-")
