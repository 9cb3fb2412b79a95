"""Provenance des sources : millésime dit ou lu, producteur et licence, empreinte du fichier."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from donnees_geo.configuration.manifeste import lire_manifeste
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.telechargement.trace import FichierTrace, Trace, ecrire_trace
from donnees_geo.territoire.provenance import completer_sources, dater_sources
from donnees_geo.territoire.stockage import empreinter_sources

MANIFESTE = """
nom = "Essai"
crs = "EPSG:2154"
[decoupage]
communes = "communes.geojson"
bassins_de_vie = "bassins.csv"
[services]
bpe = "bpe.csv"
[couches]
friches = "friches.csv"
zones_inondables = "ppr.shp"
muette = "muette.csv"
"""


@pytest.fixture
def manifeste(tmp_path):
    carre = gpd.GeoDataFrame(
        {"code": ["62001"], "srce_annee": [2017]}, geometry=[shapely.box(0, 0, 1, 1)], crs=2154
    )
    carre[["code", "geometry"]].to_crs(4326).to_file(tmp_path / "communes.geojson")
    carre.to_file(tmp_path / "ppr.shp")
    (tmp_path / "bassins.csv").write_text("CODGEO;BV2022\n62001;62119\n", encoding="utf-8")
    (tmp_path / "bpe.csv").write_text('"AN";"TYPEQU"\n"2023";"A1"\n"2023";"A2"\n')
    (tmp_path / "friches.csv").write_text(
        "site_id;site_actu_date\n1;2024-05-14\n2;\n3;2025-11-03\n", encoding="utf-8"
    )
    (tmp_path / "muette.csv").write_text("lon,lat\n2.5,50.5\n")
    return ecrire_manifeste(tmp_path)


def ecrire_manifeste(dossier: Path, suite: str = ""):
    (dossier / "t.toml").write_text(MANIFESTE + suite, encoding="utf-8")
    return lire_manifeste(dossier / "t.toml")


def tracer(dossier: Path, fichier: str, millesime: str) -> None:
    somme = hashlib.sha256((dossier / fichier).read_bytes()).hexdigest()
    ligne = FichierTrace(
        fichier,
        "communes",
        somme,
        "Communes",
        "IGN",
        millesime,
        "Licence Ouverte 2.0",
        "IGN, Admin Express",
        ({"recu_le": "2026-02-03T10:00:00"},),
        (),
    )
    ecrire_trace(Trace({fichier: ligne}), dossier)


def test_dates_lues_dans_les_formats_publies(manifeste):
    assert dater_sources(manifeste) == {
        "decoupage.bassins_de_vie": "2022",
        "services.bpe": "2023",
        "couches.friches": "2025-11-03",
        "couches.zones_inondables": "2017",
    }


@pytest.mark.parametrize(
    ("millesime", "attendu"), [("2025", "2025"), ("courant", "2026-02-03"), ("", "2026-02-03")]
)
def test_date_dite_par_le_telechargement(manifeste, tmp_path, millesime, attendu):
    tracer(tmp_path, "communes.geojson", millesime)
    assert dater_sources(manifeste)["decoupage.communes"] == attendu


def test_le_manifeste_l_emporte(manifeste, tmp_path):
    tracer(tmp_path, "communes.geojson", "2025")
    suite = '[millesimes]\n"decoupage.communes" = "2024"\n"services.bpe" = "2022"\n'
    dates = dater_sources(ecrire_manifeste(tmp_path, suite))
    assert (dates["decoupage.communes"], dates["services.bpe"]) == ("2024", "2022")


def test_millesime_d_un_fichier_inconnu(manifeste, tmp_path):
    with pytest.raises(ErreurConfiguration, match=r"decoupage\.comunes") as faute:
        ecrire_manifeste(tmp_path, '[millesimes]\n"decoupage.comunes" = "2024"\n')
    assert "decoupage.communes" in str(faute.value)


def test_une_trace_illisible_ne_bloque_pas(manifeste, tmp_path):
    (tmp_path / "telechargement.json").write_text("{", encoding="utf-8")
    assert dater_sources(manifeste)["services.bpe"] == "2023"


def test_empreinte_est_celle_du_fichier(manifeste, tmp_path):
    sources = {s.cle: s for s in empreinter_sources(manifeste)}
    attendu = hashlib.sha256((tmp_path / "bpe.csv").read_bytes()).hexdigest()
    assert sources["services.bpe"].empreinte == attendu
    assert sources["services.bpe"].taille_octets == (tmp_path / "bpe.csv").stat().st_size


def test_producteur_et_licence_du_telechargement(manifeste, tmp_path):
    tracer(tmp_path, "communes.geojson", "2025")
    sources = empreinter_sources(manifeste)
    completes = {s.cle: s for s in completer_sources(manifeste, sources, {"services.bpe": "2023"})}
    communes = completes["decoupage.communes"]
    assert (communes.producteur, communes.licence) == ("IGN", "Licence Ouverte 2.0")
    assert (completes["services.bpe"].date_donnees, completes["services.bpe"].licence) == (
        "2023",
        "",
    )
    # Remplacé à la main, le fichier n'est plus celui de l'IGN.
    autre = tuple(replace(s, empreinte="0" * 64) for s in sources)
    assert {s.producteur for s in completer_sources(manifeste, autre, {})} == {""}
