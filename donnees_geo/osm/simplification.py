"""Des voies OSM au réseau de rues simplifié entre carrefours, en calcul vectoriel.

Un noeud disparaît quand exactement deux segments s'y touchent et que rien ne change de l'un à
l'autre (droits dans le sens du parcours, classe, vitesse, nom). Les chaînes ainsi formées sont
ordonnées par saut de pointeurs : le nombre d'étapes est le logarithme de la plus longue chaîne.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from donnees_geo.reseau import (
    DROITS,
    VOITURE_ALLER,
    VOITURE_RETOUR,
    ReseauRues,
    inverser_acces,
    longueurs_lignes,
    ranger_reseau,
)

Entiers = NDArray[np.int64]


@dataclass(frozen=True)
class Segments:
    """Segments de voie entre deux noeuds OSM consécutifs.

    Attributes
    ----------
    origine, destination
        int64[s], indices dans les noeuds, dans le sens du tracé de la voie.
    way
        int64[s], identifiant de la voie.
    acces
        uint16[s], bits de passage dans le sens du tracé.
    groupe
        int64[s], numéro des attributs indépendants du sens (classe, vitesse, nom).
    """

    origine: Entiers
    destination: Entiers
    way: Entiers
    acces: NDArray[np.uint16]
    groupe: Entiers


@dataclass(frozen=True)
class Noeuds:
    """Noeuds OSM utilisés : identifiant (croissant) et position métrique, float64[n]."""

    osm: Entiers
    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True)
class Attributs:
    """Attributs d'un groupe : ``classe`` uint8, ``vitesse_kmh`` float32, ``nom`` int32."""

    classe: NDArray[np.uint8]
    vitesse_kmh: NDArray[np.float32]
    nom: NDArray[np.int32]


def fusionner_noeuds_confondus(noeuds: Noeuds, segments: Segments) -> Segments:
    """Réunir les noeuds distincts mais confondus que relie un segment de longueur nulle.

    Sans cela, un tronçon de temps nul subsisterait, qu'une matrice creuse prend pour une absence.
    Les segments devenus des points disparaissent.
    """
    nul = (noeuds.x[segments.origine] == noeuds.x[segments.destination]) & (
        noeuds.y[segments.origine] == noeuds.y[segments.destination]
    )
    if not nul.any():
        return segments
    a, b = segments.origine[nul], segments.destination[nul]
    representant = np.arange(noeuds.osm.size)
    while True:
        # Le plus petit indice se propage de proche en proche ; ces grappes sont minuscules.
        suivant = representant.copy()
        np.minimum.at(suivant, a, representant[b])
        np.minimum.at(suivant, b, representant[a])
        if (suivant == representant).all():
            break
        representant = suivant
    garde = ~nul
    return Segments(
        representant[segments.origine[garde]],
        representant[segments.destination[garde]],
        segments.way[garde],
        segments.acces[garde],
        segments.groupe[garde],
    )


def fermer_aux_voitures(noeuds: Noeuds, segments: Segments, barrieres: Entiers) -> Segments:
    """Retirer aux voitures le passage des noeuds qu'une barrière leur ferme.

    Le plus court des deux segments qui touchent la barrière leur est fermé : la rue reste desservie
    de part et d'autre. Une barrière au bout d'une rue ou à un carrefour ne ferme rien.

    Parameters
    ----------
    barrieres
        int64[b], identifiants OSM de noeuds.
    """
    if barrieres.size == 0:
        return segments
    bouts = np.concatenate([segments.origine, segments.destination])
    numero = np.tile(np.arange(segments.origine.size), 2)
    degre = np.bincount(bouts, minlength=noeuds.osm.size)
    fermes = np.searchsorted(noeuds.osm, barrieres)
    fermes = fermes[noeuds.osm[np.minimum(fermes, noeuds.osm.size - 1)] == barrieres]
    barre = np.zeros(noeuds.osm.size, dtype=bool)
    barre[fermes[degre[fermes] == 2]] = True
    touche = barre[bouts]
    bouts, numero = bouts[touche], numero[touche]
    o, d = segments.origine[numero], segments.destination[numero]
    longueur = np.hypot(noeuds.x[o] - noeuds.x[d], noeuds.y[o] - noeuds.y[d])
    ordre = np.lexsort((longueur, bouts))
    _, premiers = np.unique(bouts[ordre], return_index=True)
    acces = segments.acces.copy()
    acces[numero[ordre][premiers]] &= np.uint16(~(VOITURE_ALLER | VOITURE_RETOUR) & 0xFFFF)
    garde = (acces & np.uint16(DROITS)) != 0
    return Segments(
        segments.origine[garde],
        segments.destination[garde],
        segments.way[garde],
        acces[garde],
        segments.groupe[garde],
    )


def simplifier(
    noeuds: Noeuds, segments: Segments, attributs: Attributs, noms: tuple[str, ...], crs: str
) -> ReseauRues:
    """Contracter les chaînes de segments semblables en tronçons, et ranger le réseau.

    Parameters
    ----------
    noeuds, segments, attributs
        Voies à plat ; ``attributs`` est indexé par ``segments.groupe``.
    noms
        Noms de voies.
    crs
        CRS métrique des positions.

    Returns
    -------
    ReseauRues
        Réseau rangé ; la somme des longueurs est celle des segments.
    """
    s = segments.origine.size
    suivant, compagnon_debut = _enchainer(noeuds.osm.size, segments)
    chaine, rang = _ordonner(suivant, compagnon_debut)
    retenues, longueur = _choisir_sens(chaine, suivant, s)
    # Demi-segments des chaînes retenues, dans l'ordre : chaîne, puis rang.
    place = np.full(2 * s, -1, dtype=np.int64)
    place[retenues] = np.cumsum(longueur) - longueur
    place = place[chaine]
    gardes = np.flatnonzero(place >= 0)
    voulus = np.empty_like(gardes)
    voulus[place[gardes] + rang[gardes]] = gardes
    depart, arrivee = _extremites(segments)
    # Sommets : l'origine de chaque demi-segment, puis l'arrivée du dernier de la chaîne.
    debut = np.zeros(retenues.size + 1, dtype=np.int64)
    np.cumsum(longueur + 1, out=debut[1:])
    sommets = np.empty(debut[-1], dtype=np.int64)
    derniers = debut[1:] - 1
    interne = np.ones(sommets.size, dtype=bool)
    interne[derniers] = False
    sommets[interne] = depart[voulus]
    sommets[derniers] = arrivee[voulus[np.cumsum(longueur) - 1]]
    premier = retenues >> 1
    acces = segments.acces[premier]
    acces = np.where(retenues & 1, inverser_acces(acces), acces).astype(np.uint16)
    groupe = segments.groupe[premier]
    x, y = noeuds.x[sommets], noeuds.y[sommets]
    return ranger_reseau(
        ReseauRues(
            crs=crs,
            noeud_x=noeuds.x,
            noeud_y=noeuds.y,
            noeud_osm=noeuds.osm,
            troncon_origine=sommets[debut[:-1]].astype(np.int32),
            troncon_destination=sommets[derniers].astype(np.int32),
            troncon_longueur_m=longueurs_lignes(x, y, debut),
            troncon_way=segments.way[premier],
            troncon_classe=attributs.classe[groupe],
            troncon_acces=acces,
            troncon_vitesse_kmh=attributs.vitesse_kmh[groupe],
            troncon_nom=attributs.nom[groupe],
            noms=noms,
            geometrie_debut=debut,
            geometrie_x=x,
            geometrie_y=y,
        )
    )


def _extremites(segments: Segments) -> tuple[Entiers, Entiers]:
    """Départ et arrivée des demi-segments : ``2s`` dans le sens du tracé, ``2s + 1`` à rebours."""
    depart = np.column_stack([segments.origine, segments.destination]).ravel()
    arrivee = np.column_stack([segments.destination, segments.origine]).ravel()
    return depart, arrivee


def _enchainer(n: int, segments: Segments) -> tuple[Entiers, Entiers]:
    """Demi-segment suivant de chaque demi-segment (-1 au bout d'une chaîne), et précédent.

    Un anneau sans carrefour est ouvert à un noeud, choisi le plus petit, pour avoir un début.
    """
    depart, _ = _extremites(segments)
    demi = np.arange(depart.size)
    degre = np.bincount(depart, minlength=n)
    # Les deux demi-segments qui partent d'un noeud de degré 2 : d'indices répétés, une affectation
    # ne garde que le dernier, donc le premier si l'on va à rebours.
    premier, dernier = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    premier[depart[::-1]] = demi[::-1]
    dernier[depart] = demi
    candidats = np.flatnonzero(degre == 2)
    h1, h2 = premier[candidats], dernier[candidats]
    sens = np.column_stack([segments.acces, inverser_acces(segments.acces)]).ravel()
    # Traverser le noeud de h1 vers h2, c'est arriver par l'inverse de h1 et partir par h2.
    semblable = (
        (h1 >> 1 != h2 >> 1)
        & (sens[h1 ^ 1] == sens[h2])
        & (segments.groupe[h1 >> 1] == segments.groupe[h2 >> 1])
    )
    h1, h2 = h1[semblable], h2[semblable]
    suivant = np.full(demi.size, -1, dtype=np.int64)
    suivant[h1 ^ 1] = h2
    suivant[h2 ^ 1] = h1
    precedent = np.full(demi.size, -1, dtype=np.int64)
    precedent[h2] = h1 ^ 1
    precedent[h1] = h2 ^ 1
    ouvertures = _ouvertures_anneaux(precedent, depart)
    suivant[precedent[ouvertures]] = -1
    precedent[ouvertures] = -1
    return suivant, precedent


def _ouvertures_anneaux(precedent: Entiers, depart: Entiers) -> Entiers:
    """Demi-segments où ouvrir les anneaux : ceux qui partent du plus petit noeud de l'anneau.

    Remonter ``2**k`` prédécesseurs d'un coup finit par sortir de toute chaîne ouverte ; ce qui
    tourne encore est un anneau, et son plus petit noeud est le même dans les deux sens.
    """
    saut, moindre = precedent.copy(), depart.copy()
    actifs = np.flatnonzero(saut >= 0)
    for _ in range(int(precedent.size).bit_length()):
        plus_loin = saut[saut[actifs]]
        minimum = np.minimum(moindre[actifs], moindre[saut[actifs]])
        saut[actifs], moindre[actifs] = plus_loin, minimum
        actifs = actifs[plus_loin >= 0]
    ouvertures: Entiers = actifs[depart[actifs] == moindre[actifs]]
    return ouvertures


def _ordonner(suivant: Entiers, precedent: Entiers) -> tuple[Entiers, Entiers]:
    """Premier demi-segment de la chaîne de chacun, et rang dans la chaîne (saut de pointeurs)."""
    tete = np.where(precedent >= 0, precedent, np.arange(suivant.size))
    rang = (precedent >= 0).astype(np.int64)
    actifs = np.flatnonzero(rang)
    while actifs.size:
        pas = rang[tete[actifs]]
        actifs, pas = actifs[pas > 0], pas[pas > 0]
        # Lire avant d'écrire : tous les sauts d'une étape partent du même état.
        cible = tete[tete[actifs]]
        rang[actifs] += pas
        tete[actifs] = cible
    return tete, rang


def _choisir_sens(chaine: Entiers, suivant: Entiers, s: int) -> tuple[Entiers, Entiers]:
    """Garder, des deux parcours d'une chaîne, celui qui suit le plus de tracés de voies.

    Returns
    -------
    tuple
        Premiers demi-segments des chaînes gardées, et nombre de segments de chacune.
    """
    total = np.bincount(chaine, minlength=2 * s)
    a_rebours = np.bincount(chaine[1::2], minlength=2 * s)
    tetes = np.flatnonzero(total)
    derniers = np.empty(2 * s, dtype=np.int64)
    fins = np.flatnonzero(suivant < 0)
    derniers[chaine[fins]] = fins
    autre = derniers[tetes] ^ 1
    double = 2 * a_rebours[tetes]
    meilleur = (double < total[tetes]) | ((double == total[tetes]) & (tetes < autre))
    return tetes[meilleur], total[tetes[meilleur]]
