"""Mesure de ce programme : le diagnostic complet d'un territoire préparé (rue : trois modes)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from protocole import Memoire, executer, mesure

from accessibilite.etude import calculer_etude
from donnees_geo.configuration import lire_parametres
from donnees_geo.territoire import charger_territoire


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Charger une fois (rapporté à part), puis calculer l'étude après une chauffe."""
    parametres = lire_parametres()
    memoire = Memoire()
    debut = time.perf_counter()
    territoire = charger_territoire(Path(travail["territoire"]))
    chargement = time.perf_counter() - debut
    # La chauffe compile (ou relit) les noyaux sur un seul service.
    calculer_etude(territoire, None, parametres, services=[territoire.services[0].id])
    debut = time.perf_counter()
    resultat = calculer_etude(territoire, None, parametres)
    return [
        mesure(
            "etude",
            "nous",
            time.perf_counter() - debut,
            preparation_s=chargement,
            memoire_mio=memoire.prise_mio,
            controle=len(resultat.acces) * len(resultat.services),
            unite_controle=f"carreaux × services, modes {', '.join(resultat.modes)}",
        )
    ]


if __name__ == "__main__":
    executer(mesurer)
