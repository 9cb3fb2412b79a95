"""Courses qu'un même véhicule enchaîne : le voyageur y reste à bord.

Deux sources le disent : ``block_id`` (``trips.txt``), où l'enchaînement se déduit des lieux et des
heures, et ``transfers.txt``, où il est donné course à course (type 4) ou interdit (type 5).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from donnees_geo.gtfs.offre import OffreTransport

#: Distance entre le terminus d'une course et le départ de la suivante : le même lieu (m).
DISTANCE_TERMINUS_M: Final = 100.0
#: ``transfer_type`` : on reste à bord ; on doit descendre et remonter.
RESTER_A_BORD: Final = 4
DEVOIR_DESCENDRE: Final = 5


def enchainer_courses(
    offre: OffreTransport,
    course: NDArray[np.int32],
    heure: NDArray[np.int32],
    decalage: NDArray[np.int8],
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Ranger les courses d'un jour pour que celles d'un même véhicule se suivent.

    Deux courses successives d'un bloc s'enchaînent si la seconde part de là où finit la première
    (même gare, ou à moins de :data:`DISTANCE_TERMINUS_M`) et pas avant qu'elle ne soit finie. Un
    bloc qui se chevauche ou change de lieu n'est donc pas suivi : il faut alors descendre. Un
    enchaînement donné par ``transfers.txt`` (type 4) l'emporte, où qu'il soit, s'il ne remonte pas
    le temps ; un enchaînement interdit (type 5) ne se fait pas. Une course en continue une autre au
    plus, et une au plus la continue : d'une rame coupée en deux, la première partie repartie.

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
        intp[n], rang des courses dans leur nouvel ordre : celui donné, où chaque course suit celle
        qu'elle continue ; bool[n], la course continue celle qui la précède dans cet ordre.
    """
    fixe = ~np.isin(course, offre.frequences["course"].to_numpy())
    premier, dernier = offre.passage_debut[course], offre.passage_debut[course + 1] - 1
    debut_s = offre.passage_arrivee_s[premier] + heure
    fin_s = offre.passage_depart_s[dernier] + heure
    bloc = np.where(fixe, _numeroter_blocs(offre)[course], -1)
    ordre = np.lexsort((debut_s, decalage, bloc))
    a, b = ordre[:-1], ordre[1:]
    memes = (bloc[a] >= 0) & (bloc[a] == bloc[b]) & (decalage[a] == decalage[b])
    a, b = a[memes], b[memes]
    proches = _meme_lieu(offre, offre.passage_arret[dernier[a]], offre.passage_arret[premier[b]])
    a, b = a[proches], b[proches]
    rester_a, rester_b = _donnes(offre, course, decalage, RESTER_A_BORD)
    a, b = np.concatenate([rester_a, a]), np.concatenate([rester_b, b])
    # La seconde inégalité ne tombe que sur des courses sans durée, qui formeraient une boucle.
    possible = fixe[a] & fixe[b] & (debut_s[b] >= fin_s[a]) & (fin_s[b] > debut_s[a])
    interdits = _cles(*_donnes(offre, course, decalage, DEVOIR_DESCENDRE), course.size)
    possible &= ~np.isin(_cles(a, b, course.size), interdits)
    donne = np.arange(a.size) < rester_a.size
    return _ranger(_apparier(a[possible], b[possible], donne[possible], debut_s))


def _meme_lieu(
    offre: OffreTransport, fin: NDArray[np.int32], debut: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Vrai où deux arrêts sont de la même gare ou assez proches, bool[k]."""
    x, y = offre.arrets["x"].to_numpy(), offre.arrets["y"].to_numpy()
    station = offre.arrets["station"].to_numpy()
    ecart_m = np.hypot(x[fin] - x[debut], y[fin] - y[debut])  # NaN, donc faux, sans position
    proches: NDArray[np.bool_] = (ecart_m <= DISTANCE_TERMINUS_M) | (station[fin] == station[debut])
    return proches


def _donnes(
    offre: OffreTransport, course: NDArray[np.int32], decalage: NDArray[np.int8], genre: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Paires de courses du jour citées par ``transfers.txt``, le même jour de service."""
    regles = offre.enchainements[offre.enchainements["type"] == genre]
    jour = pd.DataFrame({"course": course, "jour": decalage, "rang": np.arange(course.size)})
    paires = regles.merge(jour.rename(columns={"course": "depuis", "rang": "a"}), on="depuis")
    paires = paires.merge(jour.rename(columns={"course": "vers", "rang": "b"}), on=["vers", "jour"])
    return paires["a"].to_numpy(dtype=np.intp), paires["b"].to_numpy(dtype=np.intp)


def _cles(a: NDArray[np.intp], b: NDArray[np.intp], n: int) -> NDArray[np.int64]:
    """Un nombre par paire."""
    return a.astype(np.int64) * n + b


def _apparier(
    a: NDArray[np.intp], b: NDArray[np.intp], donne: NDArray[np.bool_], debut_s: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Course que chacune continue, -1 sans : les paires données d'abord, puis les plus tôt."""
    precedente = np.full(debut_s.size, -1, dtype=np.intp)
    ordre = np.lexsort((b, a, debut_s[b], ~donne))
    a, b = a[ordre], b[ordre]
    while a.size:
        # Une paire est prise si aucune autre, mieux placée, ne veut l'une de ses deux courses.
        rang = np.arange(a.size)
        retenue = np.isin(rang, np.unique(a, return_index=True)[1])
        retenue &= np.isin(rang, np.unique(b, return_index=True)[1])
        precedente[b[retenue]] = a[retenue]
        reste = ~np.isin(a, a[retenue]) & ~np.isin(b, b[retenue])
        a, b = a[reste], b[reste]
    return precedente


def _ranger(precedente: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Ordre où chaque course suit celle qu'elle continue ; les têtes gardent leur ordre."""
    enchainee = precedente >= 0
    tete = np.where(enchainee, precedente, np.arange(precedente.size))
    rang = enchainee.astype(np.intp)
    while enchainee[tete].any():  # chaque tour double la longueur remontée
        rang = rang + rang[tete]
        tete = tete[tete]
    ordre = np.lexsort((rang, tete))
    return ordre, enchainee[ordre]


def _numeroter_blocs(offre: OffreTransport) -> NDArray[np.int64]:
    """Numéro du bloc de chaque course, propre à son flux, -1 sans bloc, int64[courses]."""
    bloc = offre.courses["bloc"].astype(str)
    numeros = pd.factorize(offre.courses["flux"].astype(str) + ":" + bloc)[0]
    return np.where(bloc == "", -1, numeros).astype(np.int64)
