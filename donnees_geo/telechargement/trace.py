"""Trace d'un téléchargement, gardée à côté des fichiers : origine, empreintes, licences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.telechargement.cache import Objet
from donnees_geo.telechargement.catalogue import SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.telechargement.contenu import calculer_somme

FICHIER: Final = "telechargement.json"
#: À changer quand un traitement change : les fichiers découpés autrement sont refaits.
VERSION: Final = 1


@dataclass(frozen=True)
class FichierTrace:
    """Un fichier du territoire tel que le programme l'a écrit.

    ``complet`` est faux s'il manque une de ses parts (un département) : elle sera redemandée.
    """

    fichier: str
    source: str
    sha256: str
    titre: str
    producteur: str
    millesime: str
    licence: str
    mention: str
    origines: tuple[dict[str, Any], ...]
    emprise: tuple[float, ...]
    complet: bool = True


@dataclass
class Trace:
    """Fichiers écrits, par nom ; empreinte du manifeste écrit ; jour étudié proposé.

    ``flux`` réunit les empreintes des flux dont ``date_service`` a été tirée.
    """

    fichiers: dict[str, FichierTrace] = field(default_factory=dict)
    manifeste_sha256: str = ""
    epci: str = ""
    date_service: str = ""
    flux: str = ""


def lire_trace(dossier: Path) -> Trace:
    """Trace d'un dossier ; vide s'il n'en a pas.

    Raises
    ------
    ErreurDonnees
        Trace illisible ou d'une autre version.
    """
    chemin = dossier / FICHIER
    if not chemin.exists():
        return Trace()
    try:
        lue = json.loads(chemin.read_text(encoding="utf-8"))
        if lue["version"] != VERSION:
            return Trace(epci=lue["epci"])
        fichiers = [
            FichierTrace(
                **{
                    **f,
                    "origines": tuple(f["origines"]),
                    "emprise": tuple(f["emprise"]),
                }
            )
            for f in lue["fichiers"]
        ]
        return Trace(
            {f.fichier: f for f in fichiers},
            lue["manifeste_sha256"],
            lue["epci"],
            lue["date_service"],
            lue["flux"],
        )
    except (OSError, ValueError, KeyError, TypeError) as erreur:
        raise ErreurDonnees(
            "La trace du téléchargement est illisible.",
            objet=chemin,
            trouve=str(erreur),
            conseil="supprimez ce fichier : les données présentes passeront pour posées à la main",
        ) from erreur


def ecrire_trace(trace: Trace, dossier: Path) -> None:
    """Écrire la trace d'un dossier."""
    contenu = {
        "version": VERSION,
        "epci": trace.epci,
        "manifeste_sha256": trace.manifeste_sha256,
        "date_service": trace.date_service,
        "flux": trace.flux,
        "fichiers": [asdict(trace.fichiers[nom]) for nom in sorted(trace.fichiers)],
    }
    with ecrire_atomique(dossier / FICHIER) as provisoire:
        provisoire.write_text(json.dumps(contenu, ensure_ascii=False, indent=1), encoding="utf-8")


def est_a_la_main(trace: Trace, dossier: Path, fichier: str) -> bool:
    """Vrai si un fichier présent n'est pas celui que le programme a écrit."""
    chemin = dossier / fichier
    if not chemin.is_file():
        return False
    connu = trace.fichiers.get(fichier)
    return connu is None or calculer_somme(chemin) != connu.sha256


def est_a_jour(
    trace: Trace, dossier: Path, fichier: str, emprise: tuple[float, ...], sources: Sequence[Objet]
) -> bool:
    """Vrai si un fichier vient des mêmes octets, découpés à la même emprise."""
    connu = trace.fichiers.get(fichier)
    return (
        connu is not None
        and (dossier / fichier).is_file()
        and connu.emprise == emprise
        and [o["sha256"] for o in connu.origines] == [o.sha256 for o in sources]
    )


def decrire(
    fichier: str,
    chemin: Path,
    source: SourceOuverte,
    cible: Cible,
    objets: Sequence[Objet],
    *,
    complet: bool,
) -> FichierTrace:
    """Trace d'un fichier qui vient d'être écrit."""
    return FichierTrace(
        fichier=fichier,
        source=source.id,
        sha256=calculer_somme(chemin),
        titre=source.titre,
        producteur=source.producteur,
        millesime=source.millesime,
        licence=source.licence,
        mention=source.mention,
        origines=tuple(
            {
                "adresse": o.adresse,
                "sha256": o.sha256,
                "taille_octets": o.taille_octets,
                "etag": o.etag,
                "modifie": o.modifie,
                "recu_le": o.recu_le,
            }
            for o in objets
        ),
        emprise=bornes_trace(cible),
        complet=complet,
    )


def bornes_trace(cible: Cible) -> tuple[float, ...]:
    """Enveloppe de l'emprise au mètre près, qui change avec le territoire ou la marge."""
    return tuple(float(round(b)) for b in cible.emprise.bounds)
