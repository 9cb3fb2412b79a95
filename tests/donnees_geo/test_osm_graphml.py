"""Échange du réseau avec osmnx et networkx."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import osmnx
import pytest

from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees, ErreurReseau
from donnees_geo.osm import lire_osm
from donnees_geo.osm.graphml import depuis_networkx, lire_graphml, vers_networkx
from donnees_geo.reseau import (
    CLASSES_VOIE,
    MARCHE_ALLER,
    MARCHE_RETOUR,
    VELO_ALLER,
    VOITURE_ALLER,
    VOITURE_RETOUR,
    ReseauRues,
    inverser_acces,
)
from tests.fabriques.carte_osm import CRS_CARTE, CarteOsm


@pytest.fixture
def reseau(tmp_path: Path) -> ReseauRues:
    """Quadrilatère : deux sens uniques, un escalier, une rue coudée, une impasse, une boucle."""
    carte = CarteOsm()
    for numero, x, y in [
        (1, 0, 0), (2, 200, 0), (3, 200, 150), (4, 0, 150), (5, 300, 200), (6, 400, 150),
        (7, -100, 0), (8, 450, 200), (9, 450, 100),
    ]:  # fmt: skip
        carte.noeud(numero, x, y)
    carte.voie(10, [1, 2], {"highway": "residential", "oneway": "yes", "name": "Aller"})
    carte.voie(11, [2, 3], {"highway": "tertiary", "maxspeed": "30"})
    carte.voie(12, [4, 3], {"highway": "residential", "oneway": "-1", "name": "Retour"})
    carte.voie(13, [4, 1], {"highway": "steps"})
    carte.voie(14, [3, 5, 6], {"highway": "residential", "bridge": "yes"})
    carte.voie(15, [7, 1], {"highway": "service"})
    carte.voie(16, [6, 8, 9, 6], {"highway": "residential"})
    return lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE, avec_fond=False).reseau


def empreinte(reseau: ReseauRues) -> set[tuple[object, ...]]:
    """Tronçons indépendamment de leur ordre et de leur sens de tracé."""
    inverses = inverser_acces(reseau.troncon_acces)
    resultat: set[tuple[object, ...]] = set()
    for t in range(reseau.nombre_troncons):
        u = int(reseau.noeud_osm[reseau.troncon_origine[t]])
        v = int(reseau.noeud_osm[reseau.troncon_destination[t]])
        bits = int(reseau.troncon_acces[t] if u <= v else inverses[t])
        resultat.add(
            (
                min(u, v), max(u, v), bits, int(reseau.troncon_way[t]),
                CLASSES_VOIE[reseau.troncon_classe[t]],
                round(float(reseau.troncon_longueur_m[t]), 3),
                float(np.nan_to_num(reseau.troncon_vitesse_kmh[t], nan=-1)),
                "" if reseau.troncon_nom[t] < 0 else reseau.noms[reseau.troncon_nom[t]],
            )
        )  # fmt: skip
    return resultat


def test_arcs_selon_le_mode(reseau: ReseauRues) -> None:
    voiture = vers_networkx(reseau, "voiture")
    assert voiture.has_edge(1, 2)
    assert not voiture.has_edge(2, 1)
    assert voiture.has_edge(3, 4)
    assert not voiture.has_edge(4, 3)
    assert not voiture.has_edge(4, 1)  # escalier
    marche = vers_networkx(reseau, "marche")
    assert all(marche.has_edge(v, u) for u, v in marche.edges())
    assert vers_networkx(reseau, "velo").has_edge(4, 1)  # vélo poussé
    assert voiture.edges[3, 6, 0]["length"] == pytest.approx(2 * np.hypot(100, 50), abs=0.05)
    assert voiture.edges[2, 3, 0]["maxspeed"] == "30"
    assert "maxspeed" not in voiture.edges[1, 2, 0]
    aller, retour = voiture.edges[2, 3, 0], voiture.edges[3, 2, 0]
    assert aller["geometry"].equals(retour["geometry"].reverse())
    assert {aller["reversed"], retour["reversed"]} == {False, True}


def test_aller_retour_fidele(reseau: ReseauRues) -> None:
    assert empreinte(depuis_networkx(vers_networkx(reseau, "marche"), CRS_CARTE)) == empreinte(
        reseau
    )


def test_aller_retour_par_graphml(reseau: ReseauRues, tmp_path: Path) -> None:
    osmnx.save_graphml(vers_networkx(reseau, "marche"), tmp_path / "rues.graphml")
    assert empreinte(lire_graphml(tmp_path / "rues.graphml", CRS_CARTE)) == empreinte(reseau)


def test_outils_d_osmnx_sur_notre_reseau(reseau: ReseauRues) -> None:
    graphe = vers_networkx(reseau, "voiture")
    assert osmnx.shortest_path(graphe, 1, 6, weight="length") == [1, 2, 3, 6]
    noeuds, arcs = osmnx.graph_to_gdfs(graphe)
    attendu = osmnx.stats.count_streets_per_node(graphe)
    assert noeuds["street_count"].to_dict() == attendu
    assert noeuds.crs == CRS_CARTE
    assert arcs["length"].to_numpy() == pytest.approx(arcs.geometry.length.to_numpy())
    assert osmnx.distance.nearest_nodes(graphe, noeuds.loc[7, "x"] - 5, noeuds.loc[7, "y"]) == 7
    assert osmnx.stats.edge_length_total(graphe) == pytest.approx(arcs["length"].sum())
    rapide = osmnx.add_edge_travel_times(osmnx.add_edge_speeds(graphe, fallback=50))
    assert rapide.edges[2, 3, 0]["travel_time"] == pytest.approx(150 / (30 / 3.6), abs=0.05)


def test_graphe_ecrit_par_osmnx(tmp_path: Path) -> None:
    """GraphML d'un graphe « drive » d'osmnx : sens uniques retrouvés, longueurs égales."""
    carte = CarteOsm()
    for i in range(4):
        carte.noeud(i + 1, 100 * i, 0)
    carte.noeud(5, 100, 100)
    carte.voie(10, [1, 2], {"highway": "residential", "oneway": "yes", "maxspeed": "50"})
    carte.voie(11, [2, 3, 4], {"highway": "secondary", "name": "Rue A"})
    carte.voie(12, [2, 5], {"highway": "footway"})
    osm = carte.ecrire(tmp_path / "carte.osm")
    graphe = osmnx.graph_from_xml(osm, retain_all=True)
    osmnx.save_graphml(graphe, tmp_path / "osmnx.graphml")
    lu = lire_graphml(tmp_path / "osmnx.graphml", CRS_CARTE)
    direct = lire_osm(osm, CRS_CARTE, avec_fond=False).reseau
    assert empreinte(lu) == empreinte(direct)
    assert lu.longueur_totale_m == pytest.approx(400, abs=0.1)
    unique = int(np.flatnonzero(lu.troncon_way == 10)[0])
    assert lu.troncon_acces[unique] == MARCHE_ALLER | MARCHE_RETOUR | VELO_ALLER | VOITURE_ALLER


def test_arc_sans_inverse_ni_sens_unique_est_respecte() -> None:
    """Un utilisateur a retiré le retour d'une rue à double sens : plus personne n'y revient."""
    graphe = nx.MultiDiGraph(crs=CRS_CARTE)
    graphe.add_node(1, x=0.0, y=0.0)
    graphe.add_node(2, x=100.0, y=0.0)
    graphe.add_edge(1, 2, osmid=9, highway="residential", oneway=False, length=100.0)
    reseau = depuis_networkx(graphe, CRS_CARTE)
    assert reseau.troncon_acces.tolist() == [MARCHE_ALLER | VELO_ALLER | VOITURE_ALLER]


def test_attributs_en_listes_et_noeuds_nommes() -> None:
    graphe = nx.MultiDiGraph(crs="EPSG:4326")
    graphe.add_node("a", x=2.60, y=50.50)
    graphe.add_node("b", x=2.61, y=50.50)
    attributs = {
        "osmid": [9, 8], "highway": ["tertiary", "residential"], "maxspeed": ["50", "30"],
        "name": ["Rue B", "Rue A"], "oneway": True, "length": 700.0,
    }  # fmt: skip
    graphe.add_edge("b", "a", **attributs)
    avant = {k: list(v) if isinstance(v, list) else v for k, v in attributs.items()}
    reseau = depuis_networkx(graphe, CRS_CARTE)
    assert reseau.noms == ("Rue B",)
    assert reseau.troncon_vitesse_kmh.tolist() == [30.0]
    assert CLASSES_VOIE[reseau.troncon_classe[0]] == "tertiary"
    assert (reseau.noeud_osm < 0).all()
    assert not reseau.troncon_acces[0] & VOITURE_RETOUR
    assert reseau.troncon_longueur_m[0] == pytest.approx(709, abs=3)
    assert graphe.edges["b", "a", 0] == avant


def test_graphes_fautifs(tmp_path: Path, reseau: ReseauRues) -> None:
    with pytest.raises(ErreurDonnees, match="n'existe pas"):
        lire_graphml(tmp_path / "absent.graphml", CRS_CARTE)
    (tmp_path / "faux.graphml").write_text("<html>", encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="illisible"):
        lire_graphml(tmp_path / "faux.graphml", CRS_CARTE)
    with pytest.raises(ErreurReseau, match="système de coordonnées"):
        depuis_networkx(nx.MultiDiGraph(), CRS_CARTE)
    with pytest.raises(ErreurReseau, match="aucune rue praticable"):
        depuis_networkx(nx.MultiDiGraph(crs=CRS_CARTE), CRS_CARTE)
    sans_xy = nx.MultiDiGraph(crs=CRS_CARTE)
    sans_xy.add_node(5, x=1.0)
    with pytest.raises(ErreurReseau, match=r"1 noeud(.|\n)*5"):
        depuis_networkx(sans_xy, CRS_CARTE)
    with pytest.raises(ErreurConfiguration, match="inconnu"):
        depuis_networkx(vers_networkx(reseau, "marche"), "EPSG:0")
    with pytest.raises(ErreurReseau, match=r"Mode inconnu(.|\n)*marche, velo, voiture"):
        vers_networkx(reseau, "tc")  # type: ignore[arg-type]
