"""Portions de rues atteintes : les tronçons coupés exactement là où le temps s'épuise."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import TempsNoeuds, calculer_temps_depuis_points
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import Rattachement
from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurReseau


class Portions(NamedTuple):
    """Morceaux de tronçons atteints, le temps y variant linéairement.

    Attributes
    ----------
    troncon
        int32[k], tronçon du réseau.
    debut, fin
        float64[k], fractions de la longueur du tronçon, ``debut <= fin``.
    temps_debut, temps_fin
        float64[k], secondes, au début et à la fin de la portion.
    """

    troncon: NDArray[np.int32]
    debut: NDArray[np.float64]
    fin: NDArray[np.float64]
    temps_debut: NDArray[np.float64]
    temps_fin: NDArray[np.float64]


@nb.njit(cache=True, nogil=True)
def _rencontre(tu, tv, eo, ed, limite):  # type: ignore[no-untyped-def]
    """Position où les fronts venus des deux bouts se rejoignent : au-delà, l'autre est plus tôt."""
    if not (tv <= limite and ed < np.inf):
        return 1.0
    if not (tu <= limite and eo < np.inf):
        return 0.0
    if eo + ed <= 0:
        return 1.0
    return min(1.0, max(0.0, (tv + ed - tu) / (eo + ed)))


@nb.njit(cache=True, nogil=True)
def _portion_depuis_extremite(temps, eloigner, jusque, limite):  # type: ignore[no-untyped-def]
    """Part du tronçon parcourue depuis une extrémité : bornée par ``jusque`` et par le temps."""
    if not (temps <= limite and eloigner < np.inf):
        return 0.0
    if eloigner <= 0:
        return jusque
    return min(jusque, (limite - temps) / eloigner)


@nb.njit(cache=True, nogil=True)
def _portions_troncons(  # type: ignore[no-untyped-def]
    atteints, incidence_debut, incidence_troncon, origine, destination, temps,
    eloigner_o, eloigner_d, limite,
):  # fmt: skip
    """Portions parcourues depuis les deux extrémités des tronçons qui touchent un noeud atteint."""
    troncon = np.empty(1024, dtype=np.int32)
    valeurs = np.empty((1024, 4))
    k = 0
    for noeud in atteints:
        for q in range(incidence_debut[noeud], incidence_debut[noeud + 1]):
            t = incidence_troncon[q]
            tu, tv = temps[origine[t]], temps[destination[t]]
            # Un tronçon dont les deux bouts sont atteints est traité par son origine.
            if (tu > limite and tv > limite) or (noeud != origine[t] and tu <= limite):
                continue
            if k + 2 > troncon.size:
                troncon = np.concatenate((troncon, np.empty_like(troncon)))
                valeurs = np.concatenate((valeurs, np.empty_like(valeurs)))
            eo, ed = eloigner_o[t], eloigner_d[t]
            rencontre = _rencontre(tu, tv, eo, ed, limite)
            a = _portion_depuis_extremite(tu, eo, rencontre, limite)
            b = _portion_depuis_extremite(tv, ed, 1.0 - rencontre, limite)
            if a > 0:
                troncon[k] = t
                valeurs[k, :] = (0.0, a, tu, tu + a * eo)
                k += 1
            if b > 0:
                troncon[k] = t
                valeurs[k, :] = (1.0 - b, 1.0, tv + b * ed, tv)
                k += 1
    return troncon[:k].copy(), valeurs[:k].T.copy()


def calculer_portions(
    graphe: Graphe,
    temps_noeuds: TempsNoeuds,
    limite_s: float,
    *,
    sens: Sens = "depuis",
    sources: Rattachement | None = None,
) -> Portions:
    """Portions de rues atteintes d'après les temps aux noeuds.

    Parameters
    ----------
    graphe
        Graphe du mode.
    temps_noeuds
        Temps aux noeuds, et liste des noeuds atteints (elle peut en contenir davantage).
    limite_s
        Plus grand seuil voulu.
    sens
        Sens de la recherche qui a donné les temps.
    sources
        Points de départ : la rue sur laquelle ils sont posés est parcourue depuis eux.
    """
    eloigner_o, eloigner_d = graphe.temps_sens(sens)
    reseau = graphe.reseau
    troncon, valeurs = _portions_troncons(
        temps_noeuds.atteints,
        *graphe.incidence,
        reseau.troncon_origine,
        reseau.troncon_destination,
        temps_noeuds.temps_s,
        eloigner_o,
        eloigner_d,
        float(limite_s),
    )
    if sources is not None:
        t, v = _portions_sources(sources, eloigner_o, eloigner_d, limite_s)
        troncon = np.concatenate([troncon, t])
        valeurs = np.concatenate([valeurs, v], axis=1)
    return Portions(troncon, valeurs[0], valeurs[1], valeurs[2], valeurs[3])


def _portions_sources(
    sources: Rattachement,
    eloigner_o: NDArray[np.float64],
    eloigner_d: NDArray[np.float64],
    limite_s: float,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Portions parcourues de part et d'autre de chaque point de départ."""
    proches = np.flatnonzero(sources.rattaches & (sources.approche_s <= limite_s))
    t, f = sources.troncon[proches], sources.position[proches]
    cout = sources.approche_s[proches]
    reste = limite_s - cout
    with np.errstate(divide="ignore", invalid="ignore"):
        avance = np.where(eloigner_o[t] > 0, np.minimum(1 - f, reste / eloigner_o[t]), 1 - f)
        recul = np.where(eloigner_d[t] > 0, np.minimum(f, reste / eloigner_d[t]), f)
        temps_avance = cout + np.where(avance > 0, avance * eloigner_o[t], 0.0)
        temps_recul = cout + np.where(recul > 0, recul * eloigner_d[t], 0.0)
    valeurs = np.concatenate(
        [
            np.stack([f, f + avance, cout, temps_avance]),
            np.stack([f - recul, f, temps_recul, cout]),
        ],
        axis=1,
    )
    utiles = valeurs[1] > valeurs[0]
    return np.tile(t, 2)[utiles], valeurs[:, utiles]


def atteindre(
    graphe: Graphe, points: Rattachement, limite_s: float, *, sens: Sens = "depuis"
) -> tuple[Portions, TempsNoeuds]:
    """Portions de rues à moins de ``limite_s`` du plus proche des points.

    Raises
    ------
    ErreurReseau
        Aucun des points n'est rattaché au réseau.
    """
    if not points.rattaches.any():
        raise ErreurReseau(
            "Le point est trop loin de toute rue praticable par ce mode.",
            objet=", ".join(
                f"({x:.0f}, {y:.0f})" for x, y in zip(points.x[:3], points.y[:3], strict=True)
            ),
            conseil="choisir un point du territoire proche d'une rue, ou augmenter "
            "rattachement_max_m dans parametres/etude.toml",
        )
    temps = calculer_temps_depuis_points(graphe, points, sens=sens, limite_s=limite_s)
    return (
        calculer_portions(graphe, temps, limite_s, sens=sens, sources=points),
        temps,
    )


@nb.njit(cache=True, nogil=True)
def couper_portions(portions, depuis, limite, debut_geometrie, abscisse, gx, gy):  # type: ignore[no-untyped-def]
    """Géométrie des portions parcourues entre ``depuis`` et ``limite`` secondes.

    Returns
    -------
    debut, x, y, temps
        Lignes au format CSR : sommets ``debut[i]`` à ``debut[i+1]`` (exclu), coordonnées (m) et
        temps (s) à chaque sommet.
    """
    nombre = portions.troncon.size
    debut = np.zeros(nombre + 1, dtype=np.int64)
    x, y, temps = np.empty(4096), np.empty(4096), np.empty(4096)
    lignes, k = 0, 0
    for p in range(nombre):
        t = portions.troncon[p]
        f0, f1 = portions.debut[p], portions.fin[p]
        t0, t1 = portions.temps_debut[p], portions.temps_fin[p]
        if min(t0, t1) > limite or max(t0, t1) <= depuis:
            continue
        pente = (t1 - t0) / (f1 - f0)
        # Le temps croît vers l'une des extrémités : la limite rogne celle-là, ``depuis`` l'autre.
        tardif, precoce = min(limite, max(t0, t1)), max(depuis, min(t0, t1))
        if pente > 0:
            f0, f1 = f0 + (precoce - t0) / pente, f1 - (t1 - tardif) / pente
        elif pente < 0:
            f0, f1 = f0 + (tardif - t0) / pente, f1 - (t1 - precoce) / pente
        base = portions.temps_debut[p] - pente * portions.debut[p]
        g0, g1 = debut_geometrie[t], debut_geometrie[t + 1]
        longueur = abscisse[g1 - 1]
        a0, a1 = f0 * longueur, f1 * longueur
        if k + (g1 - g0) + 2 > x.size:
            ajout = np.empty(max(x.size, g1 - g0 + 2))
            x = np.concatenate((x, ajout))
            y = np.concatenate((y, ajout))
            temps = np.concatenate((temps, ajout))
        premier = k
        for g in range(g0, g1 - 1):
            s0, s1 = abscisse[g], abscisse[g + 1]
            if s1 <= a0 or s0 >= a1 or s1 <= s0:
                continue
            c0, c1 = max(s0, a0), min(s1, a1)
            if k == premier:
                r = (c0 - s0) / (s1 - s0)
                x[k], y[k] = gx[g] + r * (gx[g + 1] - gx[g]), gy[g] + r * (gy[g + 1] - gy[g])
                temps[k] = base + pente * c0 / longueur
                k += 1
            r = (c1 - s0) / (s1 - s0)
            x[k], y[k] = gx[g] + r * (gx[g + 1] - gx[g]), gy[g] + r * (gy[g + 1] - gy[g])
            temps[k] = base + pente * c1 / longueur
            k += 1
        if k > premier:
            lignes += 1
            debut[lignes] = k
    return (
        debut[: lignes + 1].copy(),
        x[:k].copy(),
        y[:k].copy(),
        temps[:k].copy(),
    )


@nb.njit(cache=True, nogil=True)
def mesurer_longueur(portions, limite, longueurs):  # type: ignore[no-untyped-def]
    """Longueur de rue atteinte en ``limite`` secondes ; un recouvrement compte une fois.

    Parameters
    ----------
    portions
        Portions atteintes, dans un ordre quelconque.
    limite
        Seuil, secondes.
    longueurs
        float64[m], longueur de chaque tronçon, mètres.
    """
    nombre = portions.troncon.size
    # Portions d'un même tronçon, chaînées par début croissant.
    tete = np.full(longueurs.size, -1, dtype=np.int32)
    suivante = np.empty(nombre, dtype=np.int32)
    bas, haut = np.empty(nombre), np.empty(nombre)
    for p in range(nombre):
        f0, f1 = portions.debut[p], portions.fin[p]
        t0, t1 = portions.temps_debut[p], portions.temps_fin[p]
        if min(t0, t1) > limite:
            continue
        if t1 > limite:
            f1 = f0 + (limite - t0) / (t1 - t0) * (f1 - f0)
        elif t0 > limite:
            f0 = f1 - (limite - t1) / (t0 - t1) * (f1 - f0)
        bas[p], haut[p] = f0, f1
        t = portions.troncon[p]
        avant, apres = -1, tete[t]
        while apres >= 0 and bas[apres] < f0:
            avant, apres = apres, suivante[apres]
        suivante[p] = apres
        if avant < 0:
            tete[t] = p
        else:
            suivante[avant] = p
    total = 0.0
    for t in range(longueurs.size):
        p, jusque = tete[t], 0.0
        while p >= 0:
            if haut[p] > jusque:
                total += (haut[p] - max(jusque, bas[p])) * longueurs[t]
                jusque = haut[p]
            p = suivante[p]
    return total
