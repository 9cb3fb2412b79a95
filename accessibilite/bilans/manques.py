"""Ce qui manque parmi des services choisis : carreaux, habitants et service le plus souvent absent.

Même règle que l'indice de la demi-heure (:mod:`accessibilite.bilans.indice`), pour un choix de
services quelconque : un palier, une fonction, les deux à la fois, ou un seul service.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import Zonage, diviser, sommer_par_zone
from accessibilite.bilans.indicateurs import PLUS_RAPIDE, regle_du_service
from accessibilite.etude import ResultatEtude, colonne_temps
from donnees_geo.configuration import Service
from donnees_geo.erreurs import ErreurConfiguration


def relever_manques(
    resultat: ResultatEtude, services: Sequence[str]
) -> tuple[NDArray[np.bool_], tuple[Service, ...]]:
    """Services hors de portée de chaque carreau, au seuil de leur palier.

    Parameters
    ----------
    resultat
        Étude calculée ou relue.
    services
        Identifiants ; ceux qui sont sans donnée partout ne sont pas comptés.

    Returns
    -------
    manque, mesures
        bool[carreaux, mesurés], et les services mesurés dans l'ordre des colonnes. Un carreau non
        rattaché aux rues manque de tout.

    Raises
    ------
    ErreurConfiguration
        Service absent de l'étude.
    """
    connus = {s.id: s for s in resultat.services}
    inconnus = [s for s in services if s not in connus]
    if inconnus:
        raise ErreurConfiguration(
            "Ce service n'est pas dans l'étude.",
            objet=", ".join(inconnus),
            attendu=", ".join(connus),
        )
    colonnes, mesures = [], []
    for service in (connus[s] for s in services):
        temps = resultat.acces[colonne_temps(service.id, PLUS_RAPIDE)].to_numpy(dtype=np.float64)
        if np.isnan(temps).all():
            continue
        seuil_s = regle_du_service(service, resultat.parametres.seuils).seuil_s
        colonnes.append(~(temps <= seuil_s))
        mesures.append(service)
    if not colonnes:
        return np.zeros((len(resultat.acces), 0), dtype=bool), ()
    return np.column_stack(colonnes), tuple(mesures)


def resumer_manques(
    zonage: Zonage,
    manque: NDArray[np.bool_],
    services: Sequence[Service],
    poids: NDArray[np.float64],
) -> pd.DataFrame:
    """Habitants de chaque zone à qui manque au moins un des services.

    Parameters
    ----------
    zonage
        Zones.
    manque, services
        Voir :func:`relever_manques`.
    poids
        float64[carreaux], habitants (ou m² sans population).

    Returns
    -------
    pandas.DataFrame
        Une ligne par zone : ``code``, ``nom``, ``poids``, ``manque`` (poids à qui il manque un
        service au moins), ``part`` (NaN sans poids ou sans service mesuré), ``moyenne`` (nombre
        moyen de services hors de portée), ``service`` : identifiant de celui qui manque au plus
        grand poids (le premier à égalité, vide si rien ne manque), et ``service_poids``.
    """
    total = sommer_par_zone(zonage, poids)
    zones = len(zonage.codes)
    if not services:
        vide = np.full(zones, np.nan)
        return _table(zonage, total, vide, vide, np.full(zones, "", dtype=object), vide)
    touches = sommer_par_zone(zonage, poids * manque.any(axis=1))
    # Arrondi : deux services à égalité ne se départagent pas sur un reste d'addition.
    par_service = sommer_par_zone(zonage, np.where(manque, poids[:, None], 0.0)).round(6)
    pire = par_service.argmax(axis=1)
    pire_poids = par_service[np.arange(zones), pire]
    noms = np.array([s.id for s in services], dtype=object)
    return _table(
        zonage,
        total,
        touches,
        diviser(par_service.sum(axis=1), total),
        np.where(pire_poids > 0, noms[pire], ""),
        pire_poids,
    )


def _table(
    zonage: Zonage,
    total: NDArray[np.float64],
    touches: NDArray[np.float64],
    moyenne: NDArray[np.float64],
    service: NDArray[np.object_],
    service_poids: NDArray[np.float64],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "code": list(zonage.codes),
            "nom": list(zonage.noms),
            "poids": total,
            "manque": touches,
            "part": diviser(touches, total),
            "moyenne": moyenne,
            "service": service,
            "service_poids": service_poids,
        }
    )
