"""Lecture d'extraits OSM : formats, découpe, équipements, surfaces et fichiers fautifs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from donnees_geo.configuration import Service
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees, ErreurReseau, Gravite
from donnees_geo.osm import lire_osm
from donnees_geo.osm.points_interet import cles_discriminantes, services_de
from tests.fabriques.carte_osm import CRS_CARTE, ORIGINE, CarteOsm


def service(identifiant: str, *regles: dict[str, tuple[str, ...]], **options: object) -> Service:
    valeurs: dict[str, object] = {
        "id": identifiant,
        "libelle": identifiant,
        "palier": "proximite",
        "fonction": "habiter",
        "codes_bpe": (),
        "tags_osm": regles,
        "tags_osm_exclus": (),
        "source": "osm",
        "surfacique": False,
        "distance_doublon_m": 50.0,
        "couleur": "#000000",
    }
    return Service(**{**valeurs, **options})  # type: ignore[arg-type]


@pytest.fixture
def carte() -> CarteOsm:
    """Rue de 1 km d'ouest en est, un noeud tous les 100 m, deux rues en travers."""
    carte = CarteOsm()
    for i in range(11):
        carte.noeud(i + 1, 100 * i, 0)
    carte.noeud(21, 300, 100)
    carte.noeud(22, 700, 100)
    carte.voie(100, range(1, 12), {"highway": "residential", "name": "Grand-Rue"})
    carte.voie(101, [4, 21])
    carte.voie(102, [8, 22])
    return carte


@pytest.mark.parametrize("extension", ["osm.pbf", "osm", "osm.gz", "osm.bz2"])
def test_formats(carte: CarteOsm, tmp_path: Path, extension: str) -> None:
    extrait = lire_osm(carte.ecrire(tmp_path / f"carte.{extension}"), CRS_CARTE)
    assert extrait.reseau.nombre_troncons == 5
    assert extrait.reseau.longueur_totale_m == pytest.approx(1200, abs=0.1)
    assert extrait.reseau.noms == ("Grand-Rue",)
    assert extrait.constats == []
    assert extrait.batiments is None
    assert len(extrait.points_interet) == 0


def test_decoupe_a_l_emprise(carte: CarteOsm, tmp_path: Path) -> None:
    """De 250 à 550 m : les segments qui touchent l'emprise restent, de 200 à 600 m."""
    boite = shapely.box(*carte.boite_degres(250, -50, 550, 50))
    extrait = lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE, boite)
    assert sorted(extrait.reseau.noeud_osm.tolist()) == [3, 4, 7, 21]
    assert extrait.reseau.longueur_totale_m == pytest.approx(100 + 300 + 100, abs=0.1)


def test_emprise_decoupe_les_equipements(carte: CarteOsm, tmp_path: Path) -> None:
    carte.noeud(31, 400, 10, shop="bakery")
    carte.noeud(32, 900, 10, shop="bakery")
    boite = shapely.box(*carte.boite_degres(250, -50, 550, 50))
    boulangerie = service("boulangerie", {"shop": ("bakery",)})
    fichier = carte.ecrire(tmp_path / "carte.osm.pbf")
    assert lire_osm(fichier, CRS_CARTE, boite, [boulangerie]).points_interet[
        "id_source"
    ].tolist() == ["n31"]
    assert len(lire_osm(fichier, CRS_CARTE, None, [boulangerie]).points_interet) == 2


def test_noeuds_absents_coupent_la_voie(carte: CarteOsm, tmp_path: Path) -> None:
    del carte.noeuds[6]
    extrait = lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE)
    assert extrait.reseau.longueur_totale_m == pytest.approx(1000, abs=0.1)
    bouts = set(extrait.reseau.noeud_osm.tolist())
    assert {5, 7} <= bouts
    assert [c.gravite for c in extrait.constats] == [Gravite.MINEUR]
    assert "1 voie(s) citent 1 noeud(s) absents" in extrait.constats[0].message


def test_un_objet_rend_plusieurs_services_et_regles(tmp_path: Path, carte: CarteOsm) -> None:
    carte.noeud(
        31, 10, 10, amenity="school", name="Groupe Élémentaire", **{"school:FR": "primaire"}
    )
    carte.noeud(32, 20, 10, shop="bakery;pastry", name="Au bon pain")
    carte.noeud(33, 30, 10, amenity="school", name="Collège privé", access="private")
    carte.noeud(34, 40, 10, office="government", name="Maison France services")
    maternelle = service(
        "maternelle", {"amenity": ("school",), "school:FR": ("maternelle", "primaire")}
    )
    elementaire = service(
        "elementaire",
        {"amenity": ("school",), "name": ("~elementaire",)},
        {"amenity": ("school",), "name": ("~college",)},
        tags_osm_exclus=({"access": ("private", "no")},),
    )
    patisserie = service("patisserie", {"shop": ("pastry",)})
    administration = service("administration", {"office": ("*",), "name": ("~FRANCE SERVICES",)})
    points = lire_osm(
        carte.ecrire(tmp_path / "carte.osm.pbf"),
        CRS_CARTE,
        None,
        [maternelle, elementaire, patisserie, administration],
    ).points_interet
    assert sorted(zip(points["service"], points["id_source"], strict=True)) == [
        ("administration", "n34"),
        ("elementaire", "n31"),
        ("maternelle", "n31"),
        ("patisserie", "n32"),
    ]
    assert set(points["source"]) == {"osm"}
    pain = points[points["service"] == "patisserie"].iloc[0]
    assert pain["nom"] == "Au bon pain"
    assert (pain.geometry.x, pain.geometry.y) == pytest.approx(
        (ORIGINE[0] + 20, ORIGINE[1] + 10), abs=0.05
    )
    assert points.crs == CRS_CARTE
    assert list(points.index) == list(range(4))


def test_cle_discriminante_evite_les_cles_repandues() -> None:
    regle = service("x", {"name": ("~mairie",), "office": ("government",)})
    seul_nom = service("y", {"name": ("~mairie",)})
    assert cles_discriminantes([regle]) == ("office",)
    assert cles_discriminantes([regle, seul_nom]) == ("name", "office")
    assert services_de({"name": "Mairie annexe"}, [regle, seul_nom]) == [1]


def carte_avec_surfaces(carte: CarteOsm) -> CarteOsm:
    carre = [(0, 0), (100, 0), (100, 100), (0, 100)]
    for base, (dx, dy), cote in ((40, (0, 200), 1.0), (50, (200, 200), 1.0), (60, (220, 220), 0.4)):
        for i, (x, y) in enumerate(carre):
            carte.noeud(base + i, dx + cote * x, dy + cote * y)
    carte.voie(200, [40, 41, 42, 43, 40], {"leisure": "park", "name": "Parc"})
    carte.voie(201, [50, 51, 52], {})
    carte.voie(202, [52, 53, 50], {})
    carte.voie(203, [60, 61, 62, 63, 60], {})
    carte.relation(
        300,
        [("w", 201, "outer"), ("w", 202, "outer"), ("w", 203, "inner")],
        {"type": "multipolygon", "natural": "wood", "name": "Bois troué"},
    )
    return carte


def test_surfaces_et_multipolygones(carte: CarteOsm, tmp_path: Path) -> None:
    regles = ({"leisure": ("park",)}, {"natural": ("wood",)})
    pourtour = service("nature", *regles, surfacique=True)
    ponctuel = service("nature_ponctuelle", *regles)
    fichier = carte_avec_surfaces(carte).ecrire(tmp_path / "carte.osm.pbf")
    extrait = lire_osm(fichier, CRS_CARTE, None, [pourtour, ponctuel])
    points = extrait.points_interet.set_index(["service", "id_source"]).geometry
    assert points[("nature", "w200")].area == pytest.approx(10_000, abs=5)
    bois = points[("nature", "r300")]
    assert bois.area == pytest.approx(10_000 - 1_600, abs=5)
    assert len(bois.interiors) == 1
    centre = points[("nature_ponctuelle", "r300")]
    assert centre.geom_type == "Point"
    assert bois.intersects(centre)  # pas dans le trou
    assert points[("nature_ponctuelle", "w200")].geom_type == "Point"
    assert extrait.fond["parcs"]["nom"].tolist() == ["Parc"]
    assert extrait.fond["bois"].geometry.iloc[0].area == pytest.approx(8_400, abs=5)
    assert set(extrait.fond) == {
        "eau", "cours_eau", "bois", "zones_baties", "voies_ferrees", "parcs"
    }  # fmt: skip


def test_multipolygone_incomplet_est_compte(carte: CarteOsm, tmp_path: Path) -> None:
    carte = carte_avec_surfaces(carte)
    carte.voies = [v for v in carte.voies if v[0] != 202]
    extrait = lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE)
    # Il manque un bout du contour : l'anneau intérieur, seul fermé, ne fait pas un bois.
    assert len(extrait.fond["bois"]) == 0
    assert any("1 surface(s) en plusieurs voies" in c.message for c in extrait.constats)


def test_batiments(carte: CarteOsm, tmp_path: Path) -> None:
    usages: list[dict[str, str]] = [
        {"building": "house"},
        {"building": "apartments", "building:levels": "3"},
        {"building": "yes", "height": "9 m"},
        {"building": "yes", "amenity": "school"},
        {"building": "industrial"},
        {"building": "no"},
        {"building": "garage"},
        {"building": "yes", "building:levels": "inconnu", "building:flats": "8", "shop": "bakery"},
    ]
    for rang, tags in enumerate(usages):
        for i, (x, y) in enumerate([(0, 0), (10, 0), (10, 20), (0, 20)]):
            carte.noeud(1000 + 10 * rang + i, 30 * rang + x, 500 + y)
        refs = [1000 + 10 * rang + i for i in (0, 1, 2, 3, 0)]
        carte.voie(500 + rang, refs, tags)
    fichier = carte.ecrire(tmp_path / "carte.osm.pbf")
    batiments = lire_osm(fichier, CRS_CARTE, avec_batiments=True).batiments
    assert batiments is not None
    table = batiments.set_index("id_source")
    assert "w505" not in table.index
    assert table["residentiel"].to_dict() == {
        "w500": True, "w501": True, "w502": True, "w503": False, "w504": False, "w506": False,
        "w507": True,
    }  # fmt: skip
    # 200 m² au sol × niveaux : supposés (2), dits (3), hauteur (9 m : 3), supposés (2)…
    assert table["surface_plancher_m2"].round(-1).to_dict() == {
        "w500": 400, "w501": 600, "w502": 600, "w503": 400, "w504": 400, "w506": 200, "w507": 400,
    }  # fmt: skip
    assert table["niveaux"].isna().to_dict() == {
        "w500": True, "w501": False, "w502": True, "w503": True, "w504": True, "w506": True,
        "w507": True,
    }  # fmt: skip
    assert table.loc["w507", "logements"] == 8


def test_voie_en_boucle_n_est_pas_une_surface(carte: CarteOsm, tmp_path: Path) -> None:
    for numero, (x, y) in enumerate([(0, 300), (50, 300), (50, 350)], start=71):
        carte.noeud(numero, x, y)
    carte.voie(210, [71, 72, 73, 71], {"waterway": "canal"})
    fond = lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE).fond
    assert fond["cours_eau"].geometry.geom_type.tolist() == ["LineString"]


def test_bacs_sur_demande(carte: CarteOsm, tmp_path: Path) -> None:
    carte.noeud(81, 1000, 800)
    carte.voie(220, [11, 81], {"route": "ferry"})
    fichier = carte.ecrire(tmp_path / "carte.osm.pbf")
    assert 81 not in lire_osm(fichier, CRS_CARTE).reseau.noeud_osm
    assert 81 in lire_osm(fichier, CRS_CARTE, avec_bacs=True).reseau.noeud_osm


def test_progression_croissante(carte: CarteOsm, tmp_path: Path) -> None:
    parts: list[float] = []
    lire_osm(
        carte.ecrire(tmp_path / "carte.osm.pbf"),
        CRS_CARTE,
        progression=lambda message, part: parts.append(part),
    )
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_emprise_inchangee(carte: CarteOsm, tmp_path: Path) -> None:
    boite = shapely.box(*carte.boite_degres(250, -50, 550, 50))
    avant = shapely.to_wkb(boite)
    lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE, boite)
    assert shapely.to_wkb(boite) == avant


# --- Fichiers fautifs


def test_fichier_absent(tmp_path: Path) -> None:
    with pytest.raises(ErreurDonnees, match=r"n'existe pas(.|\n)*absent\.osm\.pbf(.|\n)*À faire"):
        lire_osm(tmp_path / "absent.osm.pbf", CRS_CARTE)


def test_extension_inconnue(tmp_path: Path) -> None:
    (tmp_path / "carte.zip").write_bytes(b"PK")
    with pytest.raises(ErreurDonnees, match=r"extension(.|\n)*\.osm\.pbf(.|\n)*\.zip"):
        lire_osm(tmp_path / "carte.zip", CRS_CARTE)


@pytest.mark.parametrize("extension", ["osm.pbf", "osm", "osm.gz", "osm.bz2"])
def test_fichier_vide(tmp_path: Path, extension: str) -> None:
    fichier = tmp_path / f"vide.{extension}"
    fichier.touch()
    with pytest.raises(ErreurDonnees, match="vide"):
        lire_osm(fichier, CRS_CARTE)


@pytest.mark.parametrize("extension", ["osm.pbf", "osm", "osm.gz", "osm.bz2"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_fichier_tronque(carte: CarteOsm, tmp_path: Path, extension: str, part: float) -> None:
    fichier = carte.ecrire(tmp_path / f"carte.{extension}")
    octets = fichier.read_bytes()
    fichier.write_bytes(octets[: int(len(octets) * part)])
    with pytest.raises(ErreurDonnees, match=r"illisible(.|\n)*À faire"):
        lire_osm(fichier, CRS_CARTE)


@pytest.mark.parametrize("extension", ["osm.pbf", "osm", "osm.gz", "osm.bz2"])
def test_autre_contenu(tmp_path: Path, extension: str) -> None:
    fichier = tmp_path / f"texte.{extension}"
    fichier.write_text("<html><body>404</body></html>", encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="illisible"):
        lire_osm(fichier, CRS_CARTE)


def test_sans_rue(tmp_path: Path) -> None:
    carte = CarteOsm()
    carte.noeud(1, 0, 0, shop="bakery")
    with pytest.raises(ErreurReseau, match="aucune rue praticable"):
        lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE)


def test_emprise_hors_de_l_extrait(carte: CarteOsm, tmp_path: Path) -> None:
    ailleurs = shapely.box(-51.3, -30.1, -51.2, -30.0)
    with pytest.raises(ErreurReseau, match=r"dans l'emprise du territoire(.|\n)*-51\.3000"):
        lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE, ailleurs)


def test_emprise_vide(carte: CarteOsm, tmp_path: Path) -> None:
    with pytest.raises(ErreurConfiguration, match="emprise"):
        lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE, shapely.Polygon())


@pytest.mark.parametrize(("crs", "message"), [("EPSG:4326", "métrique"), ("EPSG:0", "inconnu")])
def test_crs_fautif(carte: CarteOsm, tmp_path: Path, crs: str, message: str) -> None:
    with pytest.raises(ErreurConfiguration, match=message):
        lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), crs)


def test_longueurs_du_fichier_egales_au_reseau(carte: CarteOsm, tmp_path: Path) -> None:
    reseau = lire_osm(carte.ecrire(tmp_path / "carte.osm.pbf"), CRS_CARTE).reseau
    assert reseau.troncon_longueur_m == pytest.approx(shapely.length(reseau.lignes()))
    for bout, sommets in (
        (reseau.troncon_origine, reseau.geometrie_debut[:-1]),
        (reseau.troncon_destination, reseau.geometrie_debut[1:] - 1),
    ):
        np.testing.assert_array_equal(reseau.noeud_x[bout], reseau.geometrie_x[sommets])
        np.testing.assert_array_equal(reseau.noeud_y[bout], reseau.geometrie_y[sommets])
