"""Tables de texte : encodages, séparateurs, alias, nombres, points."""

from pathlib import Path

import pandas as pd
import pytest

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture.tables import (
    detecter_format,
    lire_blocs_csv,
    lire_csv,
    lire_nombres,
    lire_points_csv,
    resoudre_colonnes,
)


@pytest.mark.parametrize(
    ("octets", "encodage"),
    [
        ("é;b".encode(), "utf-8"),
        ("é;b".encode("utf-8-sig"), "utf-8-sig"),
        ("é;b".encode("latin-1"), "cp1252"),
        ("é;b".encode("utf-16"), "utf-16"),
    ],
)
def test_encodage_reconnu(octets: bytes, encodage: str) -> None:
    assert detecter_format(octets, "f").encodage == encodage


@pytest.mark.parametrize("separateur", [";", ",", "\t", "|"])
def test_separateur_lu_sur_l_entete_hors_guillemets(separateur: str) -> None:
    entete = f'"nom{separateur} usuel; ou, autre"'.replace(separateur, "") + separateur + "b"
    # Les autres séparateurs, plus nombreux dans les valeurs, ne comptent pas.
    texte = entete + "\n" + ",,,;;;|||\t\t\t\n"
    assert detecter_format(texte.encode(), "f").separateur == separateur


def test_binaire_refuse() -> None:
    with pytest.raises(ErreurDonnees, match="n'est pas un texte"):
        detecter_format(b"PK\x03\x04\x00\x00", "f")


def test_encodages_lus_de_bout_en_bout(tmp_path: Path) -> None:
    for encodage in ("utf-8", "utf-8-sig", "cp1252"):
        chemin = tmp_path / f"{encodage}.csv"
        chemin.write_bytes("Libellé;Œuvre\nBéthune;à l’été\n".encode(encodage))
        table = lire_csv(chemin, {"nom": ("libelle",)}, facultatives={"titre": ("oeuvre", "œuvre")})
        assert table["nom"].tolist() == ["Béthune"]


def test_alias_sans_casse_ni_accents_le_premier_l_emporte() -> None:
    trouvees = resoudre_colonnes(
        ["\ufeffCode INSEE", "Libellé_du site", "code"],
        {"code": ("code_insee", "code"), "nom": ("libelle du site",)},
        "f",
        facultatives={"x": ("lambert_x",)},
    )
    assert trouvees == {"code": "\ufeffCode INSEE", "nom": "Libellé_du site"}


def test_colonne_absente_dit_les_alias() -> None:
    with pytest.raises(ErreurDonnees) as info:
        resoudre_colonnes(["a", "b"], {"code": ("code_insee", "depcom")}, "f.csv")
    message = str(info.value)
    assert "code (noms cherchés : code_insee, depcom)" in message
    assert "Trouvé : a, b" in message


def test_zeros_de_tete_et_na_gardes(tmp_path: Path) -> None:
    chemin = tmp_path / "t.csv"
    chemin.write_text("code;nom\n01004;NA\n2A041;\n", encoding="utf-8")
    table = lire_csv(chemin, {"code": ("code",), "nom": ("nom",)})
    assert table.to_dict("list") == {"code": ["01004", "2A041"], "nom": ["NA", ""]}


def test_ligne_trop_longue_dite(tmp_path: Path) -> None:
    chemin = tmp_path / "t.csv"
    chemin.write_text("a;b\n1;2\n1;2;3\n", encoding="utf-8")
    with pytest.raises(ErreurDonnees, match=r"Table illisible[\s\S]*line 3"):
        list(lire_blocs_csv(chemin))


def test_blocs_de_la_taille_demandee(tmp_path: Path) -> None:
    chemin = tmp_path / "t.csv"
    chemin.write_text("a\n" + "\n".join(map(str, range(25))) + "\n", encoding="utf-8")
    tailles = [len(bloc) for bloc in lire_blocs_csv(chemin, lignes_par_bloc=10)]
    assert tailles == [10, 10, 5]


def test_nombres_francais() -> None:
    lus = lire_nombres(pd.Series(["1 234,5", "", "-3", "2e3"]), "n", "f")
    assert lus.iloc[[0, 2, 3]].tolist() == [1234.5, -3.0, 2000.0]
    assert pd.isna(lus.iloc[1])


def test_nombre_illisible_dit_la_ligne() -> None:
    with pytest.raises(ErreurDonnees, match=r"« douze » ligne 3"):
        lire_nombres(pd.Series(["1", "douze"]), "n", "f")


def test_points_dans_l_ordre_du_fichier(tmp_path: Path) -> None:
    chemin = tmp_path / "p.csv"
    chemin.write_text("Latitude;Longitude;ID\n50,5;2,6;b\n50.4;2.5;a\n", encoding="utf-8")
    points = lire_points_csv(chemin)
    assert points.columns.tolist() == ["id", "lon", "lat"]
    assert points.to_dict("list") == {"id": ["b", "a"], "lon": [2.6, 2.5], "lat": [50.5, 50.4]}


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("id,lon\n1,2\n", r"lat \(noms cherchés : lat, latitude"),
        ("id,lon,lat\n1,662565,7046990\n", r"lon absente ou hors du monde[\s\S]*id 1"),
        ("id,lon,lat\n1,2,\n", "lat absente ou hors du monde"),
        ("id,lon,lat\n1,2,3\n1,2,4\n", "répété"),
        ("id,lon,lat\n", "Aucun point"),
    ],
)
def test_points_fautifs(tmp_path: Path, texte: str, attendu: str) -> None:
    chemin = tmp_path / "p.csv"
    chemin.write_text(texte, encoding="utf-8")
    with pytest.raises(ErreurDonnees, match=attendu):
        lire_points_csv(chemin)
