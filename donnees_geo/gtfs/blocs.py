"""Courses enchaînées par un même véhicule (``block_id``) : le voyageur y reste à bord."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from donnees_geo.gtfs.offre import OffreTransport

#: Distance entre le terminus d'une course et le départ de la suivante : le même lieu (m).
DISTANCE_TERMINUS_M: Final = 100.0


def enchainer_courses(
    offre: OffreTransport,
    course: NDArray[np.int32],
    heure: NDArray[np.int32],
    decalage: NDArray[np.int8],
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Ranger les courses d'un jour pour que celles d'un même véhicule se suivent.

    Deux courses successives d'un bloc s'enchaînent si la seconde part de là où finit la première
    (même gare, ou à moins de :data:`DISTANCE_TERMINUS_M`) et pas avant qu'elle ne soit finie. Un
    bloc qui se chevauche ou change de lieu n'est donc pas suivi : il faut alors descendre.

    Parameters
    ----------
    offre
        Offre réunie.
    course
        int32[n], lignes de ``offre.courses`` ; celles en fréquence ne s'enchaînent pas.
    heure
        int32[n], décalage de chaque course, s.
    decalage
        int8[n], jour de service.

    Returns
    -------
    ordre, enchainee
        intp[n], rang des courses dans leur nouvel ordre (inchangé sans bloc) ; bool[n], la course
        continue celle qui la précède dans cet ordre.
    """
    bloc = _numeroter_blocs(offre)[course]
    bloc[np.isin(course, offre.frequences["course"].to_numpy())] = -1
    if not (bloc >= 0).any():
        return np.arange(course.size), np.zeros(course.size, dtype=bool)
    premier, dernier = offre.passage_debut[course], offre.passage_debut[course + 1] - 1
    arrive, part = offre.passage_arrivee_s[premier] + heure, offre.passage_depart_s[dernier] + heure
    ordre = np.lexsort((arrive, decalage, bloc))
    a, b = ordre[:-1], ordre[1:]
    x, y = offre.arrets["x"].to_numpy(), offre.arrets["y"].to_numpy()
    station = offre.arrets["station"].to_numpy()
    fin, debut = offre.passage_arret[dernier[a]], offre.passage_arret[premier[b]]
    with np.errstate(invalid="ignore"):
        proches = np.hypot(x[fin] - x[debut], y[fin] - y[debut]) <= DISTANCE_TERMINUS_M
    suite = (bloc[a] >= 0) & (bloc[a] == bloc[b]) & (decalage[a] == decalage[b])
    suite &= (arrive[b] >= part[a]) & (proches | (station[fin] == station[debut]))
    return ordre, np.append(False, suite)


def _numeroter_blocs(offre: OffreTransport) -> NDArray[np.int64]:
    """Numéro du bloc de chaque course, propre à son flux, -1 sans bloc, int64[courses]."""
    if "bloc" not in offre.courses:  # offre préparée avant que les blocs ne soient lus
        return np.full(offre.nombre_courses, -1, dtype=np.int64)
    bloc = offre.courses["bloc"].fillna("")
    numeros = pd.factorize(offre.courses["flux"].astype(str) + ":" + bloc.astype(str))[0]
    return np.where(bloc == "", -1, numeros).astype(np.int64)
