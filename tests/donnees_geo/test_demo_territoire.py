"""Territoire fictif écrit en petite taille : contenu, cohérence, reproductibilité, sûreté."""

from __future__ import annotations

import errno
import hashlib
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from donnees_geo.configuration import lire_manifeste
from donnees_geo.demo import ecrire_demo, generation
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees, Gravite
from donnees_geo.osm import ExtraitOsm, lire_osm
from donnees_geo.reseau import BITS_ALLER, BITS_RETOUR, CLASSES_VOIE, PONT
from donnees_geo.territoire import verifier_territoire

CRS = "EPSG:2154"


def empreintes(dossier: Path) -> dict[str, str]:
    return {
        str(f.relative_to(dossier)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(dossier.rglob("*"))
        if f.is_file()
    }


@pytest.fixture(scope="module")
def communes(territoire_petit: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(territoire_petit / "communes.geojson").to_crs(CRS)


@pytest.fixture(scope="module")
def extrait(territoire_petit: Path) -> ExtraitOsm:
    return lire_osm(territoire_petit / "orvenne.osm.pbf", CRS, None)


def test_le_manifeste_se_lit_et_toutes_ses_sources_existent(territoire_petit: Path) -> None:
    manifeste = lire_manifeste(territoire_petit / "territoire.toml")
    assert manifeste.fictif
    assert "fictif" in manifeste.nom
    sources = [manifeste.osm, manifeste.communes, manifeste.population, manifeste.bpe]
    sources += [manifeste.mnt, *manifeste.gtfs, *manifeste.couches.values()]
    assert all(s is not None and s.exists() for s in sources)


def test_aucun_constat_bloquant(territoire_petit: Path) -> None:
    constats = verifier_territoire(lire_manifeste(territoire_petit / "territoire.toml"))
    assert [c for c in constats if c.gravite is Gravite.BLOQUANT] == []


def test_communes_couvrent_le_territoire_sans_recouvrement(communes: gpd.GeoDataFrame) -> None:
    assert len(communes) == 25
    assert communes["population"].sum() == 70_000
    assert (communes["population"] < 2000).sum() == 16
    assert communes.is_valid.all()
    union = communes.union_all()
    assert communes.area.sum() == pytest.approx(union.area, abs=1.0)
    assert 130e6 < union.area < 190e6
    # D'un seul tenant, sans enclave vide : les limites sont partagées.
    assert union.geom_type == "Polygon"
    assert len(union.interiors) == 0


def test_aucune_commune_reelle(communes: gpd.GeoDataFrame) -> None:
    assert communes["code"].str.fullmatch(r"00\d{3}").all()
    assert communes["nom"].is_unique
    # Le territoire est en mer, à plus de cent kilomètres de toute commune française.
    ouest, sud, est, nord = communes.to_crs("EPSG:4326").total_bounds
    assert -4.2 < ouest < est < -2.8
    assert 44.9 < sud < nord < 46.0


def test_zonages_couvrent_toutes_les_communes(
    territoire_petit: Path, communes: gpd.GeoDataFrame
) -> None:
    bassins = pd.read_csv(territoire_petit / "bassins_de_vie.csv", sep=";", dtype=str)
    secteurs = pd.read_csv(territoire_petit / "secteurs.csv", sep=";", dtype=str)
    assert set(bassins["CODGEO"]) == set(secteurs["code_commune"]) == set(communes["code"])
    assert set(secteurs["secteur"]) == {"Nord", "Ouest", "Sud", "Est"}
    # Chaque pôle est dans son propre bassin.
    poles = bassins[bassins["CODGEO"].isin(bassins["BV2022"])]
    assert (poles["CODGEO"] == poles["BV2022"]).all()


def test_carreaux(territoire_petit: Path, communes: gpd.GeoDataFrame) -> None:
    carreaux = gpd.read_file(territoire_petit / "carreaux_200m_met.gpkg")
    assert carreaux.crs.to_epsg() == 2154
    assert carreaux["ind"].sum() == pytest.approx(70_000, rel=1e-3)
    assert carreaux["idcar_200m"].is_unique
    ages = [c for c in carreaux.columns if c.startswith("ind_") and c != "ind_snv"]
    total = carreaux[ages].sum(axis=1)
    assert np.allclose(total, carreaux["ind"], atol=0.6)
    jeunes = carreaux[["ind_0_3", "ind_4_5", "ind_6_10", "ind_11_17", "ind_18_24"]].sum().sum()
    jeunes += carreaux["ind_25_39"].sum() / 3
    assert jeunes / carreaux["ind"].sum() == pytest.approx(0.367, abs=0.005)
    # Le coin de l'identifiant est celui du carré, à la projection près.
    coin = carreaux.to_crs("EPSG:3035").bounds
    nord = carreaux["idcar_200m"].str.extract(r"mN(\d+)E")[0].astype(float)
    assert np.abs(coin["miny"] - nord).max() < 0.01
    imputes = carreaux["i_est_200"] == 1
    assert (carreaux.loc[imputes, "men"] < 11.05).all()
    codes = set(",".join(carreaux["lcog_geo"]).split(","))
    assert codes <= set(communes["code"])


def test_commerces_et_marches(territoire_petit: Path, communes: gpd.GeoDataFrame) -> None:
    commerces = pd.read_csv(
        territoire_petit / "commerces.csv", sep=";", dtype={"code_commune": str}
    )
    assert commerces["etat"].value_counts().to_dict() == {"actif": 728, "vacant": 134}
    assert set(commerces["code_commune"]) <= set(communes["code"])
    points = gpd.GeoSeries(
        gpd.points_from_xy(commerces["lon"], commerces["lat"]), crs="EPSG:4326"
    ).to_crs(CRS)
    assert points.within(communes.union_all().buffer(40)).all()
    marches = pd.read_csv(territoire_petit / "marches.csv", sep=";")
    assert len(marches) == 9
    assert (marches["heure_debut"] < marches["heure_fin"]).all()


def test_bpe_au_format_2024(territoire_petit: Path, communes: gpd.GeoDataFrame) -> None:
    bpe = pd.read_csv(territoire_petit / "BPE24.csv", sep=";", dtype=str)
    assert len(bpe.columns) == 91
    assert {"DEPCOM", "TYPEQU", "LAMBERT_X", "QUALITE_XY", "QP2024"} <= set(bpe.columns)
    dedans = bpe[bpe["DEPCOM"].isin(communes["code"])]
    # 114 généralistes pour 100 000 habitants.
    assert (dedans["TYPEQU"] == "D265").sum() == 80
    assert (dedans["TYPEQU"] == "A129").sum() == 25
    assert (bpe["DEPCOM"].nunique()) > 25


def test_friches_au_standard(territoire_petit: Path, communes: gpd.GeoDataFrame) -> None:
    friches = pd.read_csv(
        territoire_petit / "friches-standard.csv", sep=";", dtype={"comm_insee": str}
    )
    en_attente = friches[friches["site_statut"] != "friche reconvertie"]
    assert en_attente["unite_fonciere_surface"].sum() == pytest.approx(875_000, abs=50)
    points = gpd.GeoSeries.from_wkt(friches["geompoint"], crs="EPSG:4326").to_crs(CRS)
    commune = communes.set_index("code").loc[friches["comm_insee"]].geometry
    assert points.distance(commune.reset_index(drop=True)).max() < 250
    contours = gpd.GeoSeries.from_wkt(friches["geomsurf"].dropna(), crs="EPSG:4326").to_crs(CRS)
    attendues = friches.loc[contours.index, "unite_fonciere_surface"]
    assert np.allclose(contours.area, attendues, rtol=0.02)


def test_zones_inondables(territoire_petit: Path, communes: gpd.GeoDataFrame) -> None:
    ppr = gpd.read_file(
        territoire_petit / "ppr/n_zone_reg_pprn_20190001_s_000.shp", encoding="ISO-8859-1"
    )
    assert set(ppr["typereg"]) == {"01", "02", "03", "04"}
    assert ppr["nom"].str.contains("foncé|clair|bleu|vert").all()
    touchees = communes.sjoin(ppr.to_crs(CRS), predicate="intersects")["code"].nunique()
    assert touchees == pytest.approx(19.5, abs=2)
    scenarios = [
        gpd.read_file(f).union_all() for f in sorted((territoire_petit / "tri").glob("*.shp"))
    ]
    assert len(scenarios) == 3
    frequent, moyen, extreme = scenarios
    assert moyen.buffer(0.05).contains(frequent)
    assert extreme.buffer(0.05).contains(moyen)
    assert frequent.area < moyen.area < extreme.area


def test_planification(territoire_petit: Path, communes: gpd.GeoDataFrame) -> None:
    zones = gpd.read_file(territoire_petit / "plu" / "ZONE_URBA.shp")
    assert zones.is_valid.all()
    assert set(zones["TYPEZONE"]) == {"U", "AUc", "A", "N"}
    # Les zones d'une commune la couvrent sans se recouvrir.
    code = zones["IDURBA"].str[:5]
    limites = communes.set_index("code").to_crs(zones.crs).area
    aires = zones.area.groupby(code).sum()
    np.testing.assert_allclose(aires, limites[aires.index], rtol=1e-4)
    sans_plan = set(limites.index) - set(code)
    assert 1 <= len(sans_plan) <= 0.15 * len(limites)
    quartiers = gpd.read_file(territoire_petit / "qpv.geojson").to_crs(zones.crs)
    assert quartiers["code_qp"].str.fullmatch(r"QN000\d\dM").all()
    assert quartiers["insee_com"].isin(communes["code"]).all()
    carreaux = gpd.read_file(territoire_petit / "carreaux_200m_met.gpkg")
    places = carreaux.set_geometry(carreaux.centroid).sjoin(quartiers, how="left")
    niveau = carreaux["ind_snv"].groupby(places["code_qp"].notna().to_numpy()).sum()
    niveau /= carreaux["ind"].groupby(places["code_qp"].notna().to_numpy()).sum()
    assert niveau[True] < 0.9 * niveau[False]
    for programme in ("pvd", "acv"):
        liste = pd.read_csv(territoire_petit / f"liste-{programme}.csv", dtype=str)
        assert len(liste) >= 1
        assert liste["insee_com"].isin(communes["code"]).all()


def test_relief_plat_au_nord_colline_au_sud(territoire_petit: Path) -> None:
    with rasterio.open(territoire_petit / "mnt.tif") as mnt:
        altitudes = mnt.read(1)
        assert mnt.crs.to_epsg() == 2154
    tiers = altitudes.shape[0] // 3
    assert np.median(altitudes[:tiers]) < 26
    assert np.ptp(altitudes[:tiers]) < 30
    assert altitudes.max() > 110


@pytest.mark.parametrize(
    ("mode", "part_min"), [("marche", 0.99), ("velo", 0.985), ("voiture", 0.965)]
)
def test_reseau_fortement_connexe(extrait: ExtraitOsm, mode: str, part_min: float) -> None:
    r = extrait.reseau
    aller = (r.troncon_acces & BITS_ALLER[mode]) > 0
    retour = (r.troncon_acces & BITS_RETOUR[mode]) > 0
    o = np.r_[r.troncon_origine[aller], r.troncon_destination[retour]]
    c = np.r_[r.troncon_destination[aller], r.troncon_origine[retour]]
    n = r.nombre_noeuds
    graphe = sparse.csr_array((np.ones(o.size), (o, c)), shape=(n, n))
    _, morceau = csgraph.connected_components(graphe, directed=True, connection="strong")
    effectifs = np.bincount(morceau[np.unique(np.r_[o, c])])
    assert effectifs.max() / effectifs.sum() >= part_min
    assert 30_000 < effectifs.sum() < 45_000


def test_les_rivieres_ne_se_franchissent_que_sur_des_ponts(extrait: ExtraitOsm) -> None:
    r = extrait.reseau
    nombre = np.diff(r.geometrie_debut)
    rang = np.repeat(np.arange(nombre.size), nombre)
    lignes = shapely.linestrings(np.column_stack([r.geometrie_x, r.geometrie_y]), indices=rang)
    sans_pont = (r.troncon_acces & PONT) == 0
    cours = extrait.fond["cours_eau"].geometry.to_numpy()
    assert len(cours) > 20
    fautifs, _ = shapely.STRtree(cours).query(lignes[sans_pont], predicate="crosses")
    assert fautifs.size == 0
    franchissements, _ = shapely.STRtree(cours).query(lignes[~sans_pont], predicate="crosses")
    assert franchissements.size > 50


@pytest.fixture(scope="module")
def bus(territoire_petit: Path) -> dict[str, pd.DataFrame]:
    with zipfile.ZipFile(territoire_petit / "bus.zip") as archive:
        return {
            nom: pd.read_csv(archive.open(nom), dtype=str, keep_default_na=False)
            for nom in archive.namelist()
        }


def test_gtfs_bus_references(bus: dict[str, pd.DataFrame]) -> None:
    courses, passages = bus["trips.txt"], bus["stop_times.txt"]
    assert set(passages["trip_id"]) == set(courses["trip_id"])
    assert set(passages["stop_id"]) <= set(bus["stops.txt"]["stop_id"])
    assert set(courses["shape_id"]) <= set(bus["shapes.txt"]["shape_id"])
    assert set(courses["service_id"]) <= set(bus["calendar.txt"]["service_id"])
    parents = set(bus["stops.txt"]["parent_station"]) - {""}
    assert parents <= set(bus["stops.txt"]["stop_id"])


def test_gtfs_bus_particularites(bus: dict[str, pd.DataFrame]) -> None:
    passages = bus["stop_times.txt"]
    assert (passages["arrival_time"] >= "24:00:00").any()
    assert (passages["pickup_type"] == "2").any()
    assert (bus["frequencies.txt"]["headway_secs"] == "720").all()
    assert {"SCOL", "SCOM"} <= set(bus["trips.txt"]["service_id"])
    heures = passages["arrival_time"].str.split(":", expand=True).astype(int)
    secondes = heures[0] * 3600 + heures[1] * 60 + heures[2]
    ecarts = secondes.groupby(passages["trip_id"]).diff().dropna()
    assert (ecarts >= 0).all()


def test_chaque_jour_a_un_seul_type_de_service(bus: dict[str, pd.DataFrame]) -> None:
    semaine = bus["calendar.txt"].set_index("service_id")
    exceptions = bus["calendar_dates.txt"]
    noms = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    for jour, attendus in (
        ("20260317", {"JS", "SCOL"}),
        ("20260318", {"JS", "SCOM"}),
        ("20260217", {"VAC"}),
        ("20260321", {"SAM"}),
        ("20260501", {"DIM"}),
    ):
        prevus = semaine.index[semaine[noms[pd.Timestamp(jour).weekday()]] == "1"]
        ce_jour = exceptions[exceptions["date"] == jour]
        ajoutes = set(ce_jour.loc[ce_jour["exception_type"] == "1", "service_id"])
        retires = set(ce_jour.loc[ce_jour["exception_type"] == "2", "service_id"])
        assert (set(prevus) | ajoutes) - retires == attendus


def test_les_lignes_suivent_les_rues(bus: dict[str, pd.DataFrame], extrait: ExtraitOsm) -> None:
    r = extrait.reseau
    traces = bus["shapes.txt"]
    points = gpd.GeoSeries(
        gpd.points_from_xy(
            traces["shape_pt_lon"].astype(float), traces["shape_pt_lat"].astype(float)
        ),
        crs="EPSG:4326",
    ).to_crs(CRS)
    sommets = cKDTree(np.column_stack([r.geometrie_x, r.geometrie_y]))
    ecart, _ = sommets.query(np.column_stack([points.x, points.y]))
    # Six décimales de degré valent une dizaine de centimètres.
    assert ecart.max() < 0.5


def test_train_en_dates_seules(territoire_petit: Path) -> None:
    with zipfile.ZipFile(territoire_petit / "train.zip") as archive:
        assert "calendar.txt" not in archive.namelist()
        dates = pd.read_csv(archive.open("calendar_dates.txt"), dtype=str)
    assert (dates["date"] == "20260317").sum() == 1


def test_memes_octets_a_chaque_generation(territoire_petit: Path, tmp_path: Path) -> None:
    manifeste = ecrire_demo(tmp_path / "second", taille="petite")
    assert empreintes(manifeste.parent) == empreintes(territoire_petit)


@pytest.fixture
def generation_instantanee(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remplacer la construction (longue) : seule l'écriture est essayée."""
    monkeypatch.setattr(generation, "construire_territoire_fictif", lambda *_: None)

    def ecrire(_: object, dossier: Path, __: object = None) -> None:
        (dossier / "territoire.toml").write_text("nom = 'x'\n", encoding="utf-8")

    monkeypatch.setattr(generation, "ecrire_fichiers", ecrire)


@pytest.mark.usefixtures("generation_instantanee")
def test_dossier_non_vide_refuse_puis_remplace(tmp_path: Path) -> None:
    sortie = tmp_path / "demo"
    sortie.mkdir()
    (sortie / "precieux.txt").write_text("à garder", encoding="utf-8")
    with pytest.raises(ErreurConfiguration, match="n'est pas vide") as info:
        ecrire_demo(sortie)
    assert "--remplacer" in str(info.value)
    assert (sortie / "precieux.txt").read_text(encoding="utf-8") == "à garder"
    ecrire_demo(sortie, remplacer=True)
    assert [f.name for f in sortie.iterdir()] == ["territoire.toml"]
    assert [f.name for f in tmp_path.iterdir()] == ["demo"]


@pytest.mark.usefixtures("generation_instantanee")
def test_sortie_qui_est_un_fichier(tmp_path: Path) -> None:
    fichier = tmp_path / "demo"
    fichier.write_text("x", encoding="utf-8")
    with pytest.raises(ErreurConfiguration, match="doit être un dossier"):
        ecrire_demo(fichier, remplacer=True)
    assert fichier.read_text(encoding="utf-8") == "x"


@pytest.mark.usefixtures("generation_instantanee")
@pytest.mark.parametrize(
    ("faute", "attendue", "texte"),
    [
        (OSError(errno.ENOSPC, "plein"), ErreurDonnees, "disque plein"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    ],
)
def test_faute_en_cours_d_ecriture_ne_laisse_rien(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    faute: BaseException,
    attendue: type[BaseException],
    texte: str,
) -> None:
    sortie = tmp_path / "demo"
    sortie.mkdir()
    (sortie / "ancien.txt").write_text("ancien", encoding="utf-8")

    def interrompre(_: object, dossier: Path, __: object = None) -> None:
        (dossier / "moitie.csv").write_text("a;b\n", encoding="utf-8")
        raise faute

    monkeypatch.setattr(generation, "ecrire_fichiers", interrompre)
    with pytest.raises(attendue, match=texte):
        ecrire_demo(sortie, remplacer=True)
    assert [f.name for f in tmp_path.iterdir()] == ["demo"]
    assert (sortie / "ancien.txt").read_text(encoding="utf-8") == "ancien"


def test_une_voie_verte_longe_le_canal(extrait: ExtraitOsm) -> None:
    r = extrait.reseau
    vertes = r.troncon_classe == CLASSES_VOIE.index("cycleway")
    assert r.troncon_longueur_m[vertes].sum() > 8_000
    canal = extrait.fond["cours_eau"].query("type == 'canal'").union_all()
    sommets = np.flatnonzero(np.repeat(vertes, np.diff(r.geometrie_debut)))
    points = shapely.points(r.geometrie_x[sommets], r.geometrie_y[sommets])
    ecart = shapely.distance(points, canal)
    assert ecart.min() > 20 and ecart.max() < 35


def test_routes_et_rues_de_toutes_natures(extrait: ExtraitOsm) -> None:
    presentes = {CLASSES_VOIE[k] for k in np.unique(extrait.reseau.troncon_classe)}
    attendues = "motorway motorway_link primary secondary tertiary residential service pedestrian"
    attendues += " track path footway cycleway"
    assert set(attendues.split()) <= presentes
