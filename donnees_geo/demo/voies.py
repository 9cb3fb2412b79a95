"""Du réseau noué aux voies OSM : sens uniques, vitesses, noms, suites d'arêtes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from donnees_geo.demo.cadre import Booleens, Cadre, Entiers, Flottants
from donnees_geo.demo.emprise_batie import EmpriseBatie
from donnees_geo.demo.profils_voies import PROFILS
from donnees_geo.demo.voirie import PONT, RUE_ROUTES, Reseau

#: Vitesses (agglomération, campagne) par nature ; 0 : non renseignée, comme souvent dans OSM.
VITESSES = {
    "primary": (50, 80),
    "secondary": (50, 80),
    "tertiary": (50, 80),
    "unclassified": (50, 80),
    "collectrice": (50, 50),
    "rue_centre": (30, 30),
    "rue_coron": (30, 30),
    "rue_faubourg": (50, 50),
    "rue_village": (30, 50),
    "giratoire": (50, 50),
}


@dataclass(frozen=True)
class Voies:
    """Voies prêtes à écrire.

    Attributes
    ----------
    noeuds
        int64[k], noeuds de toutes les voies mises bout à bout.
    debut
        int64[v+1], bornes de chaque voie dans ``noeuds``.
    tags
        Tags de chaque voie.
    """

    noeuds: Entiers
    debut: Entiers
    tags: tuple[dict[str, str], ...]


def _hachage(rue: Entiers, sel: int) -> Flottants:
    """Nombre stable entre 0 et 1, propre à chaque rue."""
    melange = (rue.astype(np.uint64) * np.uint64(2654435761) + np.uint64(sel * 97531)) % np.uint64(
        1_000_003
    )
    return melange.astype(np.float64) / 1_000_003.0


def choisir_sens_uniques(reseau: Reseau) -> Booleens:
    """Arêtes à sens unique, sans jamais isoler un quartier pour les voitures."""
    noms, inverse = np.unique(reseau.nature, return_inverse=True)
    part = np.array([PROFILS[n].sens_unique for n in noms])[inverse]
    unique: Booleens = (part > 0) & (_hachage(reseau.rue, 1) < part) & (reseau.rue >= 0)
    n = reseau.x.size
    degre = np.bincount(np.r_[reseau.origine, reseau.cible], minlength=n)
    unique &= (degre[reseau.origine] > 1) & (degre[reseau.cible] > 1)
    giratoire = reseau.nature == "giratoire"
    roulante = ~np.isin(reseau.nature, ["sentier", "venelle", "marches", "pietonne", "voie_verte"])
    for _ in range(6):
        oriente = unique | giratoire
        double = roulante & ~oriente
        o = np.r_[reseau.origine[roulante & oriente], reseau.origine[double], reseau.cible[double]]
        c = np.r_[reseau.cible[roulante & oriente], reseau.cible[double], reseau.origine[double]]
        graphe = sparse.csr_array((np.ones(o.size), (o, c)), shape=(n, n))
        _, fort = csgraph.connected_components(graphe, directed=True, connection="strong")
        fautives = unique & (fort[reseau.origine] != fort[reseau.cible])
        if not fautives.any():
            break
        # Toute la rue repasse à double sens : un sens unique par tronçon serait absurde.
        unique &= ~np.isin(reseau.rue, np.unique(reseau.rue[fautives]))
    return unique


def _suites(reseau: Reseau, cle: Entiers, sens_unique: Booleens) -> Entiers:
    """Numéro de voie de chaque arête : suites d'arêtes de même clé."""
    m = reseau.origine.size
    bouts = np.r_[reseau.origine, reseau.cible]
    aretes = np.r_[np.arange(m), np.arange(m)]
    ordre = np.lexsort((cle[aretes], bouts))
    bouts, aretes = bouts[ordre], aretes[ordre]
    # Une voie traverse un noeud, carrefour compris, si exactement deux arêtes de même clé s'y
    # touchent ; une voie sans nom s'arrête aux carrefours.
    nouveau = np.r_[True, (bouts[1:] != bouts[:-1]) | (cle[aretes][1:] != cle[aretes][:-1])]
    groupe = np.cumsum(nouveau) - 1
    taille = np.bincount(groupe)[groupe]
    degre = np.bincount(bouts, minlength=reseau.x.size)
    continue_ = (taille == 2) & ((degre[bouts] == 2) | (reseau.rue[aretes] >= 0))
    a, b = aretes[continue_].reshape(-1, 2).T
    unique = sens_unique | (reseau.nature == "giratoire")
    suit = (reseau.cible[a] == reseau.origine[b]) | (reseau.cible[b] == reseau.origine[a])
    lie = (~unique[a] | suit) & (reseau.nature[a] != "giratoire")
    graphe = sparse.csr_array((np.ones(lie.sum()), (a[lie], b[lie])), shape=(m, m))
    _, voie = csgraph.connected_components(graphe, directed=False)
    return voie.astype(np.int64)


def _ordonner(reseau: Reseau, voie: Entiers) -> tuple[Entiers, Entiers, Entiers]:
    """Noeuds de chaque voie dans l'ordre de parcours.

    Returns
    -------
    tuple
        Noeuds, bornes, et une arête représentative par voie. Les boucles fermées sont rendues
        arête par arête.
    """
    m = reseau.origine.size
    # Un noeud de carrefour appartient à plusieurs voies : un exemplaire par voie.
    n = np.int64(reseau.x.size)
    cles = np.r_[voie * n + reseau.origine, voie * n + reseau.cible]
    exemplaires, rangs = np.unique(cles, return_inverse=True)
    o, c = rangs[:m], rangs[m:]
    degre = np.bincount(rangs, minlength=exemplaires.size)
    voie_ex = exemplaires // n
    fermee = np.bincount(voie_ex[degre == 1], minlength=int(voie.max()) + 1) == 0
    boucle = fermee[voie]
    if boucle.any():
        return _ordonner(reseau, np.where(boucle, voie.max() + 1 + np.arange(m), voie))
    # Départ : l'extrémité où une arête commence, pour suivre le sens du tracé.
    entrante = np.bincount(c, minlength=exemplaires.size)
    bouts = np.flatnonzero(degre == 1)
    ordre = np.lexsort((entrante[bouts], voie_ex[bouts]))
    bouts = bouts[ordre]
    departs = bouts[np.r_[True, voie_ex[bouts][1:] != voie_ex[bouts][:-1]]]
    k = exemplaires.size
    graphe = sparse.csr_array((np.ones(m), (o, c)), shape=(k, k))
    pas = csgraph.dijkstra(graphe, directed=False, indices=departs, min_only=True, unweighted=True)
    ordre = np.lexsort((pas, voie_ex))
    noeuds = (exemplaires % n)[ordre]
    voies_triees = voie_ex[ordre]
    debut = np.flatnonzero(np.r_[True, voies_triees[1:] != voies_triees[:-1]])
    representante = np.zeros(int(voie.max()) + 1, dtype=np.int64)
    representante[voie] = np.arange(m)
    return noeuds, np.r_[debut, k], representante[voies_triees[debut]]


def _vitesse(nature: NDArray[np.str_], bati: Booleens, rue: Entiers) -> Entiers:
    """Vitesse maximale par arête, 0 quand OSM ne la dirait pas."""
    noms, inverse = np.unique(nature, return_inverse=True)
    table = np.array([VITESSES.get(str(n), (0, 0)) for n in noms])
    vitesse = np.where(bati, table[inverse, 0], table[inverse, 1])
    locale = ~np.isin(nature, ["primary", "secondary", "tertiary", "giratoire"])
    return np.where(locale & (_hachage(rue, 2) < 0.35), 0, vitesse)


def _tags(nature: str, rue: int, ouvrage: int, vitesse: int, unique: bool) -> dict[str, str]:
    """Tags d'une voie."""
    profil = PROFILS[nature]
    tags = dict(profil.tags)
    tirage = float(_hachage(np.array([max(rue, 0)]), 3)[0])
    if rue >= RUE_ROUTES and nature in ("primary", "secondary", "tertiary"):
        base = {"primary": 930, "secondary": 160, "tertiary": 300}[nature]
        tags["ref"] = f"D {base + (rue - RUE_ROUTES) % 180}"
    elif profil.noms and rue >= 0:
        tags["name"] = profil.noms[int(tirage * len(profil.noms))]
    if vitesse:
        tags["maxspeed"] = str(vitesse)
    if unique:
        tags["oneway"] = "yes"
        if tirage < 0.6:
            tags["oneway:bicycle"] = "no"
            tags["cycleway"] = "opposite_lane" if tirage < 0.15 else "opposite"
    if nature == "primary" and tirage < 0.35:
        tags["cycleway"] = "lane"
    if nature in ("chemin", "sentier") and tirage < 0.12:
        tags["tracktype" if nature == "chemin" else "sac_scale"] = (
            "grade3" if nature == "chemin" else "hiking"
        )
    if ouvrage == PONT:
        tags |= {"bridge": "yes", "layer": "1"}
    return tags


def construire_voies(reseau: Reseau, cadre: Cadre, emprise: EmpriseBatie) -> Voies:
    """Voies OSM du réseau, hors autoroute."""
    unique = choisir_sens_uniques(reseau)
    milieu_x = (reseau.x[reseau.origine] + reseau.x[reseau.cible]) / 2
    milieu_y = (reseau.y[reseau.origine] + reseau.y[reseau.cible]) / 2
    bati = cadre.echantillonner(emprise.rang, milieu_x, milieu_y) < 1.05
    vitesse = _vitesse(reseau.nature, bati, reseau.rue)
    _, nature = np.unique(reseau.nature, return_inverse=True)
    colonnes = (nature, reseau.rue, reseau.ouvrage, vitesse, unique.astype(np.int64))
    ordre = np.lexsort(colonnes)
    change = np.zeros(ordre.size, dtype=bool)
    for colonne in colonnes:
        triee = colonne[ordre]
        change |= np.r_[False, triee[1:] != triee[:-1]]
    cle = np.zeros(ordre.size, dtype=np.int64)
    cle[ordre] = np.cumsum(change)
    noeuds, debut, arete = _ordonner(reseau, _suites(reseau, cle, unique))
    lignes = zip(
        reseau.nature[arete].tolist(),
        reseau.rue[arete].tolist(),
        reseau.ouvrage[arete].tolist(),
        vitesse[arete].tolist(),
        unique[arete].tolist(),
        strict=True,
    )
    return Voies(noeuds, debut, tuple(_tags(*ligne) for ligne in lignes))
