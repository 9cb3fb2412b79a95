"""Projet QGIS ouvert par QGIS lui-même, quand la machine l'a : couches, champs, règles, atlas."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from xml.etree import ElementTree

import geopandas as gpd
import pytest
import shapely

from couches.catalogue import fiche_de
from couches.sig.couches import composer_couches_export
from couches.sig.mise_en_page_qgis import composer_mise_en_page
from couches.sig.projet_qgis import exporter_projet
from couches.sig.styles_couches import style_contexte
from couches.styles import lire_styles
from tests.fabriques.territoire_exports import ecrire_themes, etude_exports

#: Exécuté par le Python du système, auquel appartient QGIS.
OUVRIR = """
import json, sys
from qgis.core import (QgsApplication, QgsExpression, QgsFeatureRequest, QgsProject)
application = QgsApplication([], False)
application.initQgis()
projet = QgsProject.instance()
lu = projet.read(sys.argv[1])
couches = {}
for couche in projet.mapLayers().values():
    filtres = [r.filterExpression() or "TRUE" for r in couche.renderer().rootRule().descendants()]
    expressions = [QgsExpression(f) for f in filtres]
    ou = " OR ".join(f"coalesce({f}, FALSE)" for f in filtres)
    reste = couche.getFeatures(QgsFeatureRequest(QgsExpression(f"NOT ({ou})")))
    champs = set().union(*(e.referencedColumns() for e in expressions))
    couches[couche.name()] = {
        "valide": couche.isValid(),
        "fautes": [e.parserErrorString() for e in expressions if e.hasParserError()],
        "champs_absents": sorted(champs - {f.name() for f in couche.fields()}),
        "sans_regle": sum(1 for _ in reste),
        "crs": couche.crs().authid(),
    }
(page,) = projet.layoutManager().printLayouts()
carte = page.itemById("carte").rect()
print(json.dumps({
    "lu": lu,
    "crs": projet.crs().authid(),
    "couches": couches,
    "atlas": [page.atlas().coverageLayer().name(), page.atlas().updateFeatures()],
    "legende": [n.name() for n in page.itemById("legende").model().rootGroup().findLayers()],
    "carte_mm": [round(carte.width()), round(carte.height())],
}))
application.exitQgis()
"""


def python_de_qgis() -> str | None:
    """Python du système qui sait importer QGIS."""
    chemin = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if chemin is None:
        return None
    essai = subprocess.run([chemin, "-c", "import qgis.core"], capture_output=True, check=False)
    return chemin if essai.returncode == 0 else None


def test_qgis_ouvre_le_projet(tmp_path):
    python = python_de_qgis()
    if python is None:
        pytest.skip("QGIS et son Python (paquet python3-qgis) ne sont pas installés")
    territoire, etude = etude_exports()
    territoire = replace(territoire, couches=ecrire_themes(tmp_path))
    _, projet = exporter_projet(territoire, etude, lire_styles(), tmp_path)
    sortie = subprocess.run(
        [python, "-c", OUVRIR, str(projet)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": ""},
    )
    vu = json.loads(sortie.stdout.strip().splitlines()[-1])
    assert vu["lu"] and vu["crs"] == "EPSG:2154"
    assert {"Communes", "Lieux de service", "Carreaux : temps d'accès"} <= set(vu["couches"])
    for nom, couche in vu["couches"].items():
        assert couche["valide"] and couche["crs"] == "EPSG:2154", nom
        assert couche["fautes"] == [] and couche["champs_absents"] == [], nom
        assert couche["sans_regle"] == 0, nom
    assert vu["atlas"] == ["Communes", 2]
    assert vu["legende"] == ["Carreaux : temps d'accès"]
    assert vu["carte_mm"] == [186, 186]


def test_style_d_une_couche_de_contexte_cite_les_valeurs_de_la_table():
    # Le catalogue connaît « u » et « au » ; la table, comme le standard, écrit « U » et « AU ».
    fiche = fiche_de("plu")
    assert fiche is not None
    table = gpd.GeoDataFrame(
        {"classe": ["U", "AU", "U"]}, geometry=[shapely.box(0, 0, 1, 1)] * 3, crs="EPSG:2154"
    )
    style = style_contexte(fiche, table)
    assert [(r.libelle, r.conditions[0].valeur) for r in style.regles] == [
        ("zone urbaine (U)", "U"),
        ("zone à urbaniser (AU)", "AU"),
    ]
    assert len(style.nom) <= 30


def test_surfaces_et_points_ne_partagent_pas_une_couche(tmp_path):
    territoire, etude = etude_exports()
    themes = ecrire_themes(tmp_path)
    friches = gpd.read_parquet(themes["friches"])
    friches.geometry = [friches.geometry.iloc[0].buffer(20.0), *friches.geometry[1:]]
    friches.to_parquet(themes["friches"])
    couches = composer_couches_export(replace(territoire, couches=themes), etude, lire_styles())
    genres = {c.nom: set(c.donnees.geom_type) for c in couches if c.nom.startswith("friches")}
    assert genres == {"friches": {"Polygon"}, "friches_points": {"Point"}}
    symboles = {c.nom: c.styles[0].regles[0].symbole.nature for c in couches if c.nom in genres}
    assert symboles == {"friches": "surface", "friches_points": "point"}


def test_emprise_de_la_carte_aux_proportions_de_sa_place():
    territoire, etude = etude_exports()
    couches = composer_couches_export(territoire, etude, lire_styles())
    geo = [c for c in couches if isinstance(c.donnees, gpd.GeoDataFrame)]
    page = ElementTree.fromstring(composer_mise_en_page(territoire, etude, geo))
    emprise = page.find(".//Extent")
    assert emprise is not None
    largeur = float(emprise.get("xmax")) - float(emprise.get("xmin"))
    hauteur = float(emprise.get("ymax")) - float(emprise.get("ymin"))
    assert largeur == pytest.approx(hauteur, abs=0.02)
    ouest, sud, est, nord = territoire.contour.bounds
    assert largeur == pytest.approx(max(est - ouest, nord - sud), abs=0.02)
