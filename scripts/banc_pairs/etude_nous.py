"""Mesure de ce programme : le diagnostic d'un territoire préparé, rues seules puis tous modes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from protocole import Memoire, executer, mesure

from accessibilite.etude import ResultatEtude, calculer_etude
from donnees_geo.configuration import Parametres, lire_parametres
from donnees_geo.conventions import MODES_RUE, Mode
from donnees_geo.territoire import Territoire, charger_territoire

UNITE: Final = "carreaux × services"


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Charger une fois (rapporté à part), puis calculer l'étude après une chauffe."""
    parametres = lire_parametres()
    memoire = Memoire()
    debut = time.perf_counter()
    territoire = charger_territoire(Path(travail["territoire"]))
    chargement = time.perf_counter() - debut
    # La chauffe compile (ou relit) les noyaux sur un seul service.
    calculer_etude(territoire, None, parametres, services=[territoire.services[0].id])
    rues, secondes = _mesurer_modes(territoire, parametres, list(MODES_RUE))
    mesures = [("etude_rues", secondes, *_controler(rues))]
    if territoire.offre is not None:
        tous, secondes = _mesurer_modes(territoire, parametres, None)
        mesures.append(("etude", secondes, *_controler(tous)))
        departs = int(parametres.fenetre_tc_duree_s // 60) + 1
        nombre = len(tous.acces) * len(tous.services) * departs
        mesures.append(("etude_tc", tous.durees_s["accès tc"], nombre, f"{UNITE} × départs"))
    return [
        mesure(
            nom,
            "nous",
            secondes,
            preparation_s=chargement,
            memoire_mio=memoire.prise_mio,
            controle=controle,
            unite_controle=unite,
        )
        for nom, secondes, controle, unite in mesures
    ]


def _mesurer_modes(
    territoire: Territoire, parametres: Parametres, modes: list[Mode] | None
) -> tuple[ResultatEtude, float]:
    """Une étude et sa durée, s."""
    debut = time.perf_counter()
    resultat = calculer_etude(territoire, None, parametres, modes=modes)
    return resultat, time.perf_counter() - debut


def _controler(resultat: ResultatEtude) -> tuple[int, str]:
    """Nombre de carreaux × services, et les modes calculés."""
    nombre = len(resultat.acces) * len(resultat.services)
    return nombre, f"{UNITE} ({', '.join(resultat.modes)})"


if __name__ == "__main__":
    executer(mesurer)
