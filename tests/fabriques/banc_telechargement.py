"""Un téléchargement sur le serveur local : la demande, son résultat, ce qu'on en lit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from donnees_geo.telechargement import Bilan, Demande, Statut, telecharger_territoire
from donnees_geo.telechargement.client import Reglages
from tests.fabriques import donnees_en_ligne as en_ligne
from tests.fabriques.serveur_http import Serveur

PRESSE = Reglages(tentatives=2, attente_s=0.001, surcharge_s=0.001, lecture_s=5.0)
#: Avant la fin des calendriers du territoire fictif, après celle du flux périmé.
AUJOURDHUI = date(2026, 3, 2)


@dataclass(frozen=True)
class Banc:
    """Serveur, catalogue qui y mène, et territoire déjà téléchargé une fois."""

    serveur: Serveur
    catalogue: Path
    cache: Path
    sortie: Path
    bilan: Bilan
    demo: Path
    #: Chemins demandés par ce premier téléchargement.
    demandes: tuple[str, ...] = ()


def demander(
    banc: Banc,
    sortie: Path,
    cache: Path | None = None,
    progression: Callable[[str, float], None] | None = None,
    **options: object,
) -> Bilan:
    """Télécharger le territoire fictif ; les options sont celles de la demande."""
    demande = Demande(
        epci=en_ligne.EPCI,
        sortie=sortie,
        catalogue=banc.catalogue,
        cache=cache or banc.cache,
        aujourdhui=AUJOURDHUI,
        reglages=PRESSE,
    )
    return telecharger_territoire(replace(demande, **options), progression)


def statuts(bilan: Bilan) -> dict[str, Statut]:
    return {s.id: s.statut for s in bilan.sources}


def etat(bilan: Bilan, identifiant: str):
    return next(s for s in bilan.sources if s.id == identifiant)


def lire_texte(chemin: Path, **options: object) -> pd.DataFrame:
    return pd.read_csv(chemin, dtype="str", keep_default_na=False, **options)
