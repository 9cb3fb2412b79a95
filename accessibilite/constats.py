"""Limites d'une étude, dites avec ses résultats : ce qui manque, et pour combien d'habitants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from accessibilite.bilans.agregation import calculer_ponderation
from accessibilite.rues.services import AccesMode
from donnees_geo.configuration import Parametres, Service
from donnees_geo.conventions import LIBELLES_MODES
from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs import verifier_date

if TYPE_CHECKING:  # le calcul ne dépend pas des lecteurs de fichiers que ce module charge
    from donnees_geo.territoire import Territoire


def relever_constats(
    territoire: Territoire,
    services: Sequence[Service],
    acces: Mapping[str, AccesMode],
    parametres: Parametres,
    *,
    par_population: bool,
    jour: date | None = None,
) -> list[Constat]:
    """Limites de l'étude, à montrer avec les résultats.

    ``jour`` est celui du transport collectif : un flux qui n'est pas valable ce jour-là, ou un jour
    sans aucune course, en est une.
    """
    constats = [] if territoire.offre is None else verifier_date(territoire.offre, jour)
    if not par_population:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "population",
                "Le territoire n'a pas de population : les parts sont des parts de surface.",
            )
        )
    presents = set(territoire.equipements["service"].astype(str))
    absents = [s.libelle for s in services if s.id not in presents]
    if absents:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "services",
                f"{len(absents)} service(s) sans aucun équipement connu, laissés sans donnée : "
                + ", ".join(absents),
            )
        )
    poids, _ = calculer_ponderation(territoire.carreaux)
    imputes = territoire.carreaux["impute"].to_numpy(dtype=bool)
    if imputes.any():
        constats.append(
            Constat(
                Gravite.MINEUR,
                "population",
                f"{int(imputes.sum())} carreau(x) sur {imputes.size} imputé(s) par le producteur "
                f"(secret statistique), soit {_compter(poids[imputes], par_population)}.",
            )
        )
    for mode, resultat in acces.items():
        seuls = resultat.carreaux_non_rattaches
        if seuls.any():
            constats.append(
                Constat(
                    Gravite.MINEUR,
                    f"accès {LIBELLES_MODES[mode]}",
                    f"{int(seuls.sum())} carreau(x) à plus de {parametres.rattachement_max_m:.0f} m"
                    f" de toute rue praticable, soit {_compter(poids[seuls], par_population)}, "
                    "laissés sans donnée.",
                )
            )
        if resultat.points_non_rattaches:
            constats.append(
                Constat(
                    Gravite.MINEUR,
                    f"accès {LIBELLES_MODES[mode]}",
                    f"{resultat.points_non_rattaches} point(s) d'accès à un service trop loin de "
                    "toute rue praticable, non comptés.",
                )
            )
    absents_regle = sorted({m for s in parametres.seuils for m in s.modes if m not in acces})
    if absents_regle:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "modes",
                "Mode(s) de la règle des paliers non calculé(s) : "
                + ", ".join(LIBELLES_MODES[m] for m in absents_regle)
                + ". Les paliers qui en dépendent seuls n'ont pas de résultat.",
            )
        )
    return constats


def _compter(poids: NDArray[np.float64], par_population: bool) -> str:
    return f"{poids.sum():.0f} {'habitants' if par_population else 'm²'}"
