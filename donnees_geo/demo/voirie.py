"""Mise en réseau : toutes les voies nouées, franchissements sur ponts, impasses privées."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from donnees_geo.demo.axes import CLASSES_ROUTES, Axes
from donnees_geo.demo.cadre import Booleens, Cadre, Entiers, Flottants, reechantillonner
from donnees_geo.demo.campagne import Campagne
from donnees_geo.demo.hydrographie import CoursEau
from donnees_geo.demo.planarisation import croisements, planariser, segments_de_ligne
from donnees_geo.demo.profils_voies import PROFILS
from donnees_geo.demo.quartiers import Segments

#: Premier numéro de rue des routes départementales (les rues locales sont en deçà).
RUE_ROUTES: Final = 2_000_000
#: Numéro de rue du chemin de halage, et distance à l'axe du canal (m).
RUE_HALAGE: Final = 3_000_000
ECART_HALAGE_M: Final = 27.0
AUCUN, PONT, PASSAGE_NIVEAU = 0, 1, 2


@dataclass(frozen=True)
class Reseau:
    """Réseau de voirie noué et praticable.

    Attributes
    ----------
    x, y
        float64[n], noeuds.
    origine, cible
        int64[m], arêtes dans le sens du tracé.
    nature
        Nature de chaque arête (clé de ``PROFILS``).
    rue
        int64[m], numéro de rue, -1 sans rue.
    ouvrage
        int64[m], 1 pour un pont.
    niveau
        bool[n], passage à niveau.
    """

    x: Flottants
    y: Flottants
    origine: Entiers
    cible: Entiers
    nature: NDArray[np.str_]
    rue: Entiers
    ouvrage: Entiers
    niveau: Booleens

    def longueurs(self) -> Flottants:
        """Longueur des arêtes, mètres."""
        longueurs: Flottants = np.hypot(
            self.x[self.cible] - self.x[self.origine], self.y[self.cible] - self.y[self.origine]
        )
        return longueurs

    def segments(self) -> Flottants:
        """Arêtes sous la forme float64[m, 4]."""
        o, c = self.origine, self.cible
        return np.column_stack([self.x[o], self.y[o], self.x[c], self.y[c]])

    def rangs(self) -> Entiers:
        """Importance de chaque arête (0 = route principale)."""
        noms, inverse = np.unique(self.nature, return_inverse=True)
        rangs: Entiers = np.array([PROFILS[n].rang for n in noms])[inverse]
        return rangs

    def filtrer(self, garde: Booleens) -> Reseau:
        """Réseau réduit aux arêtes retenues, noeuds isolés retirés."""
        o, c = self.origine[garde], self.cible[garde]
        utiles, rangs = np.unique(np.r_[o, c], return_inverse=True)
        return Reseau(
            self.x[utiles],
            self.y[utiles],
            rangs[: o.size],
            rangs[o.size :],
            self.nature[garde],
            self.rue[garde],
            self.ouvrage[garde],
            self.niveau[utiles],
        )


def _prolongements(axes: Axes) -> Entiers:
    """Couples d'arêtes de même classe qui se prolongent à un carrefour, int64[k, 2]."""
    o, c = axes.route_origine, axes.route_cible
    d = axes.route_xy[c] - axes.route_xy[o]
    d = d / np.maximum(np.hypot(*d.T), 1e-9)[:, None]
    m = o.size
    bouts = pd.DataFrame(
        {
            "noeud": np.r_[o, c],
            "arete": np.r_[np.arange(m), np.arange(m)],
            "classe": np.r_[axes.route_classe, axes.route_classe],
            "dx": np.r_[d[:, 0], -d[:, 0]],
            "dy": np.r_[d[:, 1], -d[:, 1]],
        }
    )
    degre = np.bincount(bouts["noeud"])
    bouts = bouts[degre[bouts["noeud"]] > 2]
    paires = bouts.merge(bouts, on=["noeud", "classe"])
    paires = paires[paires["arete_x"] < paires["arete_y"]]
    alignement = paires["dx_x"] * paires["dx_y"] + paires["dy_x"] * paires["dy_y"]
    # Deux routes ne se prolongent que si elles sont presque alignées, une fois par bout.
    paires = paires.assign(alignement=alignement).query("alignement < -0.8")
    paires = paires.sort_values("alignement", kind="stable")
    paires = paires.drop_duplicates(["noeud", "arete_x"]).drop_duplicates(["noeud", "arete_y"])
    return paires[["arete_x", "arete_y"]].to_numpy(dtype=np.int64)


def _segments_routes(axes: Axes) -> Segments:
    """Routes départementales et leurs numéros : une route par suite de même classe."""
    o, c, classe = axes.route_origine, axes.route_cible, axes.route_classe
    degre = np.bincount(np.r_[o, c], minlength=len(axes.route_xy))
    # Une route se prolonge d'une arête à l'autre par les sommets de degré 2.
    bouts, aretes = np.r_[o, c], np.r_[np.arange(o.size), np.arange(o.size)]
    doux = degre[bouts] == 2
    ordre = np.argsort(bouts[doux], kind="stable")
    paires = aretes[doux][ordre].reshape(-1, 2)
    paires = np.vstack([paires, _prolongements(axes)])
    lien = sparse.csr_array(
        (np.ones(len(paires)), (paires[:, 0], paires[:, 1])), shape=(o.size, o.size)
    )
    _, route = csgraph.connected_components(lien, directed=False)
    noms = np.array(CLASSES_ROUTES)[classe]
    return Segments(axes.segments_routes(), noms, RUE_ROUTES + route.astype(np.int64))


def construire_obstacles(
    axes: Axes, rivieres: CoursEau, campagne: Campagne
) -> list[tuple[str, Flottants, int, float]]:
    """Obstacles : nom, segments, rang maximal qui franchit, demi-longueur du pont (m)."""
    rives = [shapely.get_coordinates(etang) for etang in campagne.etangs]
    naturels = list(zip(rivieres.lignes, rivieres.natures, strict=True))
    grandes = [segments_de_ligne(ligne) for ligne, n in naturels if n == "river"]
    petites = [segments_de_ligne(ligne) for ligne, n in naturels if n != "river"]
    return [
        ("canal", segments_de_ligne(axes.canal), 3, 32.0),
        ("autoroute", segments_de_ligne(axes.autoroute), 4, 30.0),
        ("rail", np.vstack([segments_de_ligne(f) for f in axes.ferrees]), 4, 14.0),
        ("riviere", np.vstack(grandes), 4, 13.0),
        ("ruisseau", np.vstack(petites), 7, 6.0),
        ("fosse", campagne.fosses, 8, 4.0),
        # Rien ne traverse un étang.
        ("etang", np.vstack([segments_de_ligne(r) for r in rives]), -1, 0.0),
    ]


def _franchir(
    reseau: Reseau, obstacles: list[tuple[str, Flottants, int, float]], hasard: np.random.Generator
) -> Reseau:
    """Couper ce qui ne franchit pas, poser un pont ou un passage à niveau ailleurs."""
    segments, rangs, longueurs = reseau.segments(), reseau.rangs(), reseau.longueurs()
    garde = np.ones(len(segments), dtype=bool)
    # Passerelles : quelques sentiers et chemins franchissent aussi les rivières.
    passerelle = hasard.random(len(segments)) < 0.30
    # Étendue des franchissements de chaque arête (premier, dernier) et demi-longueur de l'ouvrage.
    debut = np.full(len(segments), 2.0)
    fin = np.full(len(segments), -1.0)
    marge = np.zeros(len(segments))
    niveau = np.full(len(segments), np.nan)
    for nom, obstacle, rang_max, demi in obstacles:
        i, _, t, _ = croisements(segments, obstacle)
        if nom in ("fosse", "ruisseau", "riviere"):
            permis = (rangs[i] <= rang_max) | passerelle[i]
        else:
            permis = rangs[i] <= rang_max
        garde[i[~permis]] = False
        i, t = i[permis], t[permis]
        if nom == "rail":
            plain = rangs[i] >= 1
            niveau[i[plain]] = t[plain]
            i, t = i[~plain], t[~plain]
        np.minimum.at(debut, i, t)
        np.maximum.at(fin, i, t)
        np.maximum.at(marge, i, demi / np.maximum(longueurs[i], 1.0))
    # L'ouvrage déborde du franchissement, mais reste entre les deux bouts de l'arête.
    entree = np.minimum(np.clip(debut - marge, 0.02, 0.97), 0.9 * debut)
    sortie = np.maximum(np.clip(fin + marge, 0.03, 0.98), 1 - 0.9 * (1 - fin))
    return _poser_ouvrages(reseau, garde & (fin < 0), garde & (fin >= 0), (entree, sortie), niveau)


def _poser_ouvrages(
    reseau: Reseau,
    libre: Booleens,
    pont: Booleens,
    bornes: tuple[Flottants, Flottants],
    niveau: Flottants,
) -> Reseau:
    """Découper les arêtes franchissantes en avant-pont, pont, après-pont.

    Parameters
    ----------
    libre, pont
        Arêtes gardées sans ouvrage et avec ouvrage.
    bornes
        Positions de l'entrée et de la sortie de l'ouvrage le long de chaque arête.
    niveau
        Position du passage à niveau, NaN sans passage.
    """
    a_niveau = libre & np.isfinite(niveau)
    simple = libre & ~a_niveau
    o, c = reseau.origine, reseau.cible
    xo, yo = reseau.x[o], reseau.y[o]
    dx, dy = reseau.x[c] - xo, reseau.y[c] - yo
    x, y, marque = [reseau.x], [reseau.y], [reseau.niveau]
    familles: list[tuple[Entiers, Entiers, Entiers, int]] = []
    n = reseau.x.size

    def inserer(rang: Entiers, t: Flottants, est_niveau: bool) -> Entiers:
        nonlocal n
        x.append(xo[rang] + t * dx[rang])
        y.append(yo[rang] + t * dy[rang])
        marque.append(np.full(rang.size, est_niveau))
        numeros = np.arange(n, n + rang.size)
        n += rang.size
        return numeros

    rang = np.flatnonzero(simple)
    familles.append((rang, o[rang], c[rang], AUCUN))
    rang = np.flatnonzero(a_niveau)
    milieu = inserer(rang, np.clip(niveau[rang], 0.02, 0.98), True)
    familles += [(rang, o[rang], milieu, AUCUN), (rang, milieu, c[rang], AUCUN)]
    rang = np.flatnonzero(pont)
    entree = inserer(rang, bornes[0][rang], False)
    sortie = inserer(rang, bornes[1][rang], False)
    familles += [
        (rang, o[rang], entree, AUCUN),
        (rang, entree, sortie, PONT),
        (rang, sortie, c[rang], AUCUN),
    ]
    source = np.concatenate([f[0] for f in familles])
    return Reseau(
        np.concatenate(x),
        np.concatenate(y),
        np.concatenate([f[1] for f in familles]),
        np.concatenate([f[2] for f in familles]),
        reseau.nature[source],
        reseau.rue[source],
        np.concatenate([np.full(f[0].size, f[3], dtype=np.int64) for f in familles]),
        np.concatenate(marque),
    )


def plus_grand_morceau(reseau: Reseau) -> Reseau:
    """Ne garder que les voies reliées au reste."""
    n = reseau.x.size
    graphe = sparse.csr_array(
        (np.ones(reseau.origine.size), (reseau.origine, reseau.cible)), shape=(n, n)
    )
    _, morceau = csgraph.connected_components(graphe, directed=False)
    principal = np.argmax(np.bincount(morceau[reseau.origine]))
    return reseau.filtrer(morceau[reseau.origine] == principal)


def _elaguer(reseau: Reseau, longueur_m: float = 22.0, passes: int = 2) -> Reseau:
    """Retirer les moignons laissés par les découpes."""
    for _ in range(passes):
        degre = np.bincount(np.r_[reseau.origine, reseau.cible], minlength=reseau.x.size)
        bout = np.minimum(degre[reseau.origine], degre[reseau.cible]) == 1
        reseau = reseau.filtrer(~(bout & (reseau.longueurs() < longueur_m)))
    return reseau


def _relier_impasses(reseau: Reseau, obstacles: Flottants, hasard: np.random.Generator) -> Reseau:
    """Venelles piétonnes entre le fond des impasses et la rue voisine."""
    degre = np.bincount(np.r_[reseau.origine, reseau.cible], minlength=reseau.x.size)
    locale = np.isin(
        reseau.nature,
        ["rue_lotissement", "rue_faubourg", "rue_coron", "rue_centre", "rue_village"],
    )
    bouts = np.r_[reseau.origine[locale], reseau.cible[locale]]
    impasses = np.unique(bouts[degre[bouts] == 1])
    impasses = impasses[hasard.random(impasses.size) < 0.55]
    noeuds = np.unique(bouts)
    xy = np.column_stack([reseau.x, reseau.y])
    # Le plus proche de chaque impasse est elle-même : le second est la rue voisine.
    resultat = cKDTree(xy[noeuds]).query(xy[impasses], k=2, distance_upper_bound=75)
    distance, proche = np.asarray(resultat[0]), np.asarray(resultat[1])
    trouve = np.isfinite(distance[:, 1])
    depart, arrivee = impasses[trouve], noeuds[proche[trouve, 1]]
    liens = np.column_stack([xy[depart], xy[arrivee]])
    # On raccourcit à peine le lien pour ne pas compter ses propres extrémités.
    essai = np.column_stack(
        [
            liens[:, :2] + 0.02 * (liens[:, 2:] - liens[:, :2]),
            liens[:, 2:] - 0.02 * (liens[:, 2:] - liens[:, :2]),
        ]
    )
    libre = np.ones(depart.size, dtype=bool)
    for autres in (reseau.segments(), obstacles):
        libre[croisements(essai, autres)[0]] = False
    mutuel, _, _, _ = croisements(essai[libre], essai[libre])
    compte = np.bincount(mutuel, minlength=int(libre.sum()))
    depart, arrivee = depart[libre][compte <= 1], arrivee[libre][compte <= 1]
    k = depart.size
    return replace(
        reseau,
        origine=np.r_[reseau.origine, depart],
        cible=np.r_[reseau.cible, arrivee],
        nature=np.r_[reseau.nature, np.full(k, "venelle")],
        rue=np.r_[reseau.rue, np.full(k, -1)],
        ouvrage=np.r_[reseau.ouvrage, np.zeros(k, dtype=np.int64)],
    )


def _halage(axes: Axes) -> Segments:
    """Voie verte sur le chemin de halage, au nord du canal."""
    ligne = reechantillonner(axes.canal, 60.0)
    tangente = np.gradient(ligne, axis=0)
    tangente /= np.hypot(*tangente.T)[:, None]
    berge = ligne + ECART_HALAGE_M * np.column_stack([-tangente[:, 1], tangente[:, 0]])
    segments = segments_de_ligne(berge)
    return Segments(
        segments, np.full(len(segments), "voie_verte"), np.full(len(segments), RUE_HALAGE)
    )


def construire_voirie(
    cadre: Cadre,
    axes: Axes,
    rivieres: CoursEau,
    campagne: Campagne,
    locales: Segments,
    chemins: Segments,
) -> Reseau:
    """Réseau noué, hors autoroute et avant les allées privées.

    Parameters
    ----------
    locales, chemins
        Rues des quartiers et chemins ruraux, pas encore noués.
    """
    hasard = cadre.hasard(30)
    routes = _segments_routes(axes)
    # Les routes d'abord : à superposition, la voie la plus importante l'emporte.
    tous = Segments.reunir([routes, _halage(axes), locales, chemins])
    noue = planariser(tous.xy)
    reseau = Reseau(
        noue.x,
        noue.y,
        noue.origine,
        noue.cible,
        tous.nature[noue.source],
        tous.rue[noue.source],
        np.zeros(noue.origine.size, dtype=np.int64),
        np.zeros(noue.x.size, dtype=bool),
    )
    obstacles = construire_obstacles(axes, rivieres, campagne)
    reseau = _franchir(reseau, obstacles, hasard)
    reseau = _elaguer(plus_grand_morceau(reseau))
    lits = np.vstack([o for _, o, _, _ in obstacles])
    return _relier_impasses(reseau, lits, hasard)
