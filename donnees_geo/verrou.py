"""Verrou d'un dossier : deux exécutions n'écrivent pas ensemble au même endroit.

Le verrou est celui du système, pris sur un fichier du dossier par la bibliothèque ``filelock`` : il
tombe avec le processus qui le tient, même tué. Un fichier resté là ne verrouille donc rien.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from donnees_geo.erreurs import ErreurDonnees, ErreurEcriture, dire_raison

#: Fichier sur lequel porte le verrou d'un dossier.
FICHIER_VERROU: Final = ".verrou"
#: Temps entre deux essais quand l'exécution attend son tour, secondes.
_PAS_ATTENTE_S: Final = 0.5


@contextmanager
def verrouiller(
    dossier: Path, occupe: str, *, patienter: Callable[[], None] | None = None
) -> Iterator[None]:
    """Tenir un dossier pour soi, en le créant au besoin.

    Un dossier créé ici et resté vide est retiré en sortant : une demande refusée ne laisse rien.

    Parameters
    ----------
    dossier
        Dossier à tenir.
    occupe
        Ce qui est dit quand une autre exécution le tient déjà, en une phrase.
    patienter
        Appelée deux fois par seconde tant qu'une autre exécution tient le dossier ; ``None`` :
        ne pas attendre, refuser.

    Raises
    ------
    ErreurDonnees
        Dossier déjà tenu (sans ``patienter``).
    ErreurEcriture
        Dossier impossible à créer ou à écrire.
    """
    neuf = not dossier.exists()
    verrou = FileLock(dossier / FICHIER_VERROU)
    try:
        dossier.mkdir(parents=True, exist_ok=True)
        _prendre(verrou, dossier, occupe, patienter)
    except OSError as erreur:
        raise ErreurEcriture(
            "Le dossier n'est pas utilisable en écriture.",
            objet=dossier,
            trouve=dire_raison(erreur),
            conseil="vérifiez les droits et l'espace disque, ou choisissez un autre dossier",
        ) from erreur
    try:
        yield
    finally:
        seul = neuf and [p.name for p in dossier.iterdir()] == [FICHIER_VERROU]
        verrou.release()
        if seul:
            (dossier / FICHIER_VERROU).unlink(missing_ok=True)
            dossier.rmdir()


def _prendre(
    verrou: FileLock, dossier: Path, occupe: str, patienter: Callable[[], None] | None
) -> None:
    while True:
        try:
            verrou.acquire(timeout=0 if patienter is None else _PAS_ATTENTE_S)
        except Timeout:
            if patienter is None:
                raise ErreurDonnees(
                    occupe,
                    objet=dossier,
                    conseil="attendez qu'elle finisse, puis relancez la commande",
                ) from None
            patienter()
        else:
            return
