"""Mesure de ce programme : le diagnostic d'un territoire préparé, rues seules puis tous modes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from protocole import Memoire, executer, mesure

from accessibilite.etude import calculer_etude
from donnees_geo.configuration import Parametres, lire_parametres
from donnees_geo.conventions import MODES_RUE, Mode
from donnees_geo.territoire import Territoire, charger_territoire


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Charger une fois (rapporté à part), puis calculer l'étude après une chauffe."""
    parametres = lire_parametres()
    memoire = Memoire()
    debut = time.perf_counter()
    territoire = charger_territoire(Path(travail["territoire"]))
    chargement = time.perf_counter() - debut
    # La chauffe compile (ou relit) les noyaux sur un seul service.
    calculer_etude(territoire, None, parametres, services=[territoire.services[0].id])
    rues = _mesurer_modes(territoire, parametres, list(MODES_RUE))
    mesures = [("etude_rues", *rues)]
    if territoire.offre is not None:
        mesures.append(("etude", *_mesurer_modes(territoire, parametres, None)))
    return [
        mesure(
            nom,
            "nous",
            secondes,
            preparation_s=chargement,
            memoire_mio=memoire.prise_mio,
            controle=controle,
            unite_controle=f"carreaux × services ({', '.join(modes)})",
        )
        for nom, secondes, controle, modes in mesures
    ]


def _mesurer_modes(
    territoire: Territoire, parametres: Parametres, modes: list[Mode] | None
) -> tuple[float, int, tuple[str, ...]]:
    """Temps d'une étude, nombre de carreaux × services, modes calculés."""
    debut = time.perf_counter()
    resultat = calculer_etude(territoire, None, parametres, modes=modes)
    secondes = time.perf_counter() - debut
    return secondes, len(resultat.acces) * len(resultat.services), resultat.modes


if __name__ == "__main__":
    executer(mesurer)
