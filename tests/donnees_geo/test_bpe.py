"""BPE : millésimes, flux, positions, qualité, noms personnels."""

import zipfile
from pathlib import Path

import pandas as pd
import pyproj
import pytest
from shapely import box

from donnees_geo.bpe import lire_bpe
from donnees_geo.configuration import lire_services
from donnees_geo.erreurs import Constat, ErreurDonnees

L93 = "EPSG:2154"
EMPRISE = box(660_000, 7_040_000, 690_000, 7_060_000)
SERVICES = lire_services()

LIGNES_2025 = [
    # AN, NOMRS, DEPCOM, DEP, TYPEQU, STATUT, X, Y, QUALITE_XY, EPSG, GEOLOC
    ("2025", "DUPONT MARIE", "62119", "62", "D265", "O", "670000", "7050000", "B", "2154", "11"),
    (
        "2025",
        "ECOLE JULES FERRY",
        "62119",
        "62",
        "C108",
        "O",
        "671000",
        "7050000",
        "A",
        "2154",
        "21",
    ),
    ("2025", "ECOLE CACHEE", "62119", "62", "C201", "P", "672000", "7050000", "M", "2154", "11"),
    ("2025", "BOUL DURAND", "62119", "62", "B207", "O", "673000", "7050000", "_U", "2154", "33"),
    ("2025", "LOIN", "75101", "75", "B207", "O", "650789", "6863118", "B", "2154", "11"),
    ("2025", "BASSIN", "62119", "62", "F101", "O", "", "", "_Z", "2154", "_Z"),
    ("2025", "AILLEURS", "13055", "13", "F101", "O", "", "", "_Z", "2154", "_Z"),
    ("2025", "TAXI", "62119", "62", "E101", "O", "670500", "7050000", "B", "2154", "11"),
]
ENTETE_2025 = (
    '"AN";"NOMRS";"DEPCOM";"DEP";"TYPEQU";"STATUT_DIFFUSION";"LAMBERT_X";"LAMBERT_Y";'
    '"QUALITE_XY";"EPSG";"QUALITE_GEOLOC"'
)


def texte_2025(lignes: list[tuple[str, ...]] | None = None) -> str:
    def citer(ligne: tuple[str, ...]) -> str:
        # Comme l'INSEE : textes entre guillemets, nombres nus.
        return ";".join(v if i in (6, 7) else f'"{v}"' for i, v in enumerate(ligne))

    return "\n".join([ENTETE_2025, *map(citer, lignes or LIGNES_2025)]) + "\n"


def ecrire(chemin: Path, texte: str, encodage: str = "utf-8") -> Path:
    chemin.write_bytes(texte.encode(encodage))
    return chemin


def messages(constats: list[Constat]) -> str:
    return "\n".join(f"{c.gravite} {c.message}" for c in constats)


def test_millesime_2025(tmp_path: Path) -> None:
    chemin = ecrire(tmp_path / "BPE25.csv", texte_2025())
    table, constats = lire_bpe(chemin, L93, EMPRISE, SERVICES, ["62119"])
    assert sorted(table["service"]) == [
        "boulangerie",
        "college",
        "ecole_elementaire",
        "ecole_maternelle",
        "medecin",
    ]
    par_service = table.set_index("service")
    assert par_service["qualite"].to_dict() == {
        "medecin": "bonne",
        "ecole_maternelle": "acceptable",
        "ecole_elementaire": "acceptable",
        "college": "mauvaise",
        "boulangerie": "mauvaise",  # QUALITE_GEOLOC 33
    }
    assert (par_service.geometry.x["medecin"], par_service.geometry.y["medecin"]) == (
        670_000,
        7_050_000,
    )
    texte = messages(constats)
    assert "1 équipement(s) sans coordonnées, écarté(s) : F101 (1)" in texte
    assert "1 type(s) d'équipement hors du catalogue" in texte
    assert "E101 (1)" in texte
    assert "1 équipement(s) placés au hasard" in texte


def test_aucun_nom_personnel(tmp_path: Path) -> None:
    chemin = ecrire(tmp_path / "BPE25.csv", texte_2025())
    table, _ = lire_bpe(chemin, L93, EMPRISE, SERVICES)
    noms = table.set_index("service")["nom"]
    assert noms["medecin"] == ""
    assert noms["boulangerie"] == ""
    assert noms["college"] == ""  # diffusion partielle
    assert noms["ecole_maternelle"] == "ECOLE JULES FERRY"
    assert not table.astype("str").apply(lambda c: c.str.contains("DUPONT|DURAND")).any().any()


def test_millesime_2021_et_son_dictionnaire(tmp_path: Path) -> None:
    texte = (
        "AN;DEP;DEPCOM;lambert_x;LAMBERT_Y;QUALITE_XY;TYPEQU\n"
        "2021;62;62119;670000.0;7050000.0;Bonne;D201\n"
        "2021;62;62119;671000;7050000;non géolocalisé;B203\n"
        "2021;974;97411;340000;7690000;Acceptable;B203\n"
    )
    with zipfile.ZipFile(tmp_path / "bpe21.zip", "w") as archive:
        archive.writestr("bpe21_ensemble_xy.csv", texte.encode())
        archive.writestr("Varmod_bpe21_ensemble_xy.csv", "COD_VAR;LIB\nAN;Année\n".encode())
    table, _ = lire_bpe(tmp_path / "bpe21.zip", L93, EMPRISE, SERVICES)
    assert table.set_index("service")["qualite"].to_dict() == {
        "medecin": "bonne",
        "boulangerie": "inconnue",
    }


def test_outre_mer_sans_colonne_epsg(tmp_path: Path) -> None:
    texte = "AN;DEPCOM;LAMBERT_X;LAMBERT_Y;TYPEQU\n2021;97411;340000;7690000;B203\n"
    chemin = ecrire(tmp_path / "b.csv", texte)
    table, _ = lire_bpe(chemin, "EPSG:2975", box(330e3, 7680e3, 350e3, 7700e3), SERVICES)
    assert table.geometry.x.tolist() == pytest.approx([340_000])


def test_epsg_par_ligne_reprojete(tmp_path: Path) -> None:
    x, y = pyproj.Transformer.from_crs(2154, 3857, always_xy=True).transform(670_000, 7_050_000)
    ligne = ("2025", "", "62119", "62", "B207", "O", f"{x}", f"{y}", "B", "3857", "11")
    chemin = ecrire(tmp_path / "b.csv", texte_2025([ligne]))
    table, _ = lire_bpe(chemin, L93, EMPRISE, SERVICES)
    assert table.geometry.x[0] == pytest.approx(670_000, abs=0.1)


def test_anciens_et_nouveaux_codes_donnent_les_memes_services(tmp_path: Path) -> None:
    def services(*codes: str) -> list[str]:
        lignes = [
            ("2025", "", "62119", "62", c, "O", "670000", "7050000", "B", "2154", "11")
            for c in codes
        ]
        chemin = ecrire(tmp_path / "b.csv", texte_2025(lignes))
        return lire_bpe(chemin, L93, EMPRISE, SERVICES)[0]["service"].tolist()

    anciens = services("B203", "B102", "C101", "D201", "D301", "D232", "F306", "A101")
    nouveaux = services("B207", "B105", "C107", "D265", "D307", "D281", "F315", "A140")
    assert anciens == nouveaux
    assert len(anciens) == 8


def test_parquet_et_latin1_donnent_la_meme_table(tmp_path: Path) -> None:
    csv = ecrire(tmp_path / "a.csv", texte_2025().replace("JULES", "JOËL"), "latin-1")
    reference, _ = lire_bpe(csv, L93, EMPRISE, SERVICES)
    assert "ECOLE JOËL FERRY" in set(reference["nom"])
    lignes = [[v.replace("JULES", "JOËL") for v in ligne] for ligne in LIGNES_2025]
    noms = [c.strip('"') for c in ENTETE_2025.split(";")]
    brut = pd.DataFrame(lignes, columns=noms)
    brut["LAMBERT_X"] = pd.to_numeric(brut["LAMBERT_X"])
    brut["LAMBERT_Y"] = pd.to_numeric(brut["LAMBERT_Y"])
    brut.to_parquet(tmp_path / "a.parquet")
    relue, _ = lire_bpe(tmp_path / "a.parquet", L93, EMPRISE, SERVICES)
    pd.testing.assert_frame_equal(pd.DataFrame(relue), pd.DataFrame(reference))


def test_progression_croissante(tmp_path: Path) -> None:
    parts: list[float] = []
    chemin = ecrire(tmp_path / "a.csv", texte_2025())
    lire_bpe(chemin, L93, EMPRISE, SERVICES, progression=lambda _m, part: parts.append(part))
    assert parts == sorted(parts)
    assert 0 < parts[-1] <= 1


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("AN;DEPCOM;TYPEQU\n2025;62119;B207\n", r"LAMBERT_X \(noms cherchés : LAMBERT_X\)"),
        (ENTETE_2025 + "\n", "aucune ligne"),
        (texte_2025().replace("670000", "à droite", 1), "Coordonnée illisible"),
        (texte_2025([LIGNES_2025[5]]), r"n'a de coordonnées[\s\S]*1 ligne"),
        (texte_2025() + "une;ligne;courte\n", "BPE illisible"),
    ],
)
def test_bpe_fautive(tmp_path: Path, texte: str, attendu: str) -> None:
    chemin = ecrire(tmp_path / "b.csv", texte)
    with pytest.raises(ErreurDonnees, match=attendu):
        lire_bpe(chemin, L93, EMPRISE, SERVICES, ["62119"])


def test_types_malformes_et_crs_inconnu_dits(tmp_path: Path) -> None:
    base = list(LIGNES_2025[3])
    malforme, perdu = base.copy(), base.copy()
    malforme[4] = "BOUL"
    perdu[9] = "99999"
    chemin = ecrire(tmp_path / "b.csv", texte_2025([tuple(malforme), tuple(perdu)]))
    table, constats = lire_bpe(chemin, L93, EMPRISE, SERVICES)
    assert table.empty
    assert "TYPEQU qui n'ont pas la forme « A101 » : BOUL" in messages(constats)
    assert "CRS inconnu : 99999 (1)" in messages(constats)
