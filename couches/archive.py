"""Archives zip composées en mémoire, identiques d'un export à l'autre."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

#: Date des fichiers d'une archive : deux exports des mêmes résultats sont identiques.
_DATE: Final = (2000, 1, 1, 0, 0, 0)
#: Formats déjà compressés : les compresser encore ne gagne rien.
_COMPRESSES: Final = frozenset((".pdf", ".png", ".xlsx", ".qgz", ".tif", ".zip"))


def archiver(contenus: Mapping[str, bytes]) -> bytes:
    """Archive de fichiers, par nom (barres obliques), dans leur ordre.

    En mémoire : une archive que le disque plein interrompt chercherait à se refermer une seconde
    fois, et s'en plaindrait à l'écran.
    """
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, contenu in contenus.items():
            fiche = zipfile.ZipInfo(nom, _DATE)
            deja = PurePosixPath(nom).suffix in _COMPRESSES
            fiche.compress_type = zipfile.ZIP_STORED if deja else zipfile.ZIP_DEFLATED
            archive.writestr(fiche, contenu)
    return tampon.getvalue()
