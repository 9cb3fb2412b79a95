"""Calques : classes, provenance, couleurs par colonne, bulles, empilement."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from couches.calques.bulles import decrire_objet
from couches.calques.libres import SANS_VALEUR, colorer, composer_libre
from couches.calques.modele import position_d_arrivee
from couches.calques.territoire import lister_calques
from couches.catalogue import lire_aspect_libre, lire_catalogue
from couches.themes import Themes
from donnees_geo.erreurs import Constat, ErreurConfiguration, Gravite
from donnees_geo.schemas import SCHEMAS_COUCHES
from donnees_geo.territoire import SourceLue
from donnees_geo.thematiques.contexte import FAMILLES_CONTEXTE
from tests.fabriques.ville_quadrillee import territoire_essai

CRS = "EPSG:2154"
TERRITOIRE = replace(territoire_essai(), fictif=False)


def table(colonnes, geometries=None):
    nombre = len(next(iter(colonnes.values())))
    geometries = geometries or [shapely.Point(i, 0) for i in range(nombre)]
    return gpd.GeoDataFrame(colonnes, geometry=geometries, crs=CRS)


def zones(*lignes):
    """Zones inondables (famille, niveau), un carré chacune."""
    colonnes = {c: [""] * len(lignes) for c in SCHEMAS_COUCHES["zones_inondables"].colonnes}
    colonnes |= {"famille": [f for f, _ in lignes], "niveau": [n for _, n in lignes]}
    return table(colonnes, [shapely.box(i, 0, i + 1, 1) for i in range(len(lignes))])


def test_une_couche_par_fiche_et_des_comptes_par_classe():
    themes = Themes(
        zones_inondables=zones(
            ("reglement", "interdiction"), ("reglement", "interdiction"), ("azi", "zone_inondable")
        )
    )
    calques = lister_calques(TERRITOIRE, themes)
    assert list(calques) == ["zones_inondables_reglement", "zones_inondables_azi"]
    reglement = calques["zones_inondables_reglement"]
    comptes = dict(zip([c.valeur for c in reglement.classes], reglement.comptes, strict=True))
    assert comptes["interdiction"] == 2
    assert sum(reglement.comptes) == len(reglement.table) == 2
    assert reglement.nature == "surface"
    assert "interdiction (2)" in [e.texte for e in reglement.en_couche().legende]


def test_une_valeur_hors_du_catalogue_se_voit():
    themes = Themes(zones_inondables=zones(("tri", "frequent"), ("tri", "inedit")))
    tri = lister_calques(TERRITOIRE, themes)["zones_inondables_tri"]
    assert tri.classes[-1].libelle == "autre valeur"
    assert tri.comptes[-1] == 1
    assert sum(tri.comptes) == 2


def test_provenance_millesime_et_constats_suivent_la_couche():
    territoire = replace(
        TERRITOIRE,
        sources=(
            SourceLue("couches.qpv_2024", "qp2024.gpkg", "0" * 64, 1, "2024"),
            SourceLue("couches.qpv_2015", "qp2015.gpkg", "0" * 64, 1, "2015"),
        ),
        constats=(Constat(Gravite.MAJEUR, "couches.qpv_2024", "1 objet(s) sans géométrie."),),
    )
    quartiers = table({"libelle": ["Nord"]})
    themes = Themes(autres={"qpv_2015": quartiers, "qpv_2024": quartiers})
    calques = lister_calques(territoire, themes)
    recent = calques["qpv_2024"]
    assert recent.titre.endswith("(qpv 2024)")
    assert recent.millesime == "2024"
    assert "qp2024.gpkg" in recent.source
    assert recent.licence == "Licence Ouverte 2.0"
    assert recent.notes == ("1 objet(s) sans géométrie.",)
    assert "sans géométrie" in recent.en_couche().source
    assert calques["qpv_2015"].notes == ()
    fictives = lister_calques(replace(territoire, fictif=True), themes)
    assert {c.licence for c in fictives.values()} == {"données simulées"}


def test_une_couche_libre_et_une_couche_vide():
    vide = table({"nom": ["a"]}).iloc[:0]
    themes = Themes(autres={"jardins_partages": table({"nom": ["a"]}), "rien": vide})
    calques = lister_calques(TERRITOIRE, themes)
    assert list(calques) == ["jardins_partages"]
    assert calques["jardins_partages"].titre == "Jardins partages"
    assert calques["jardins_partages"].groupe == "libres"


def test_chaque_famille_de_contexte_a_une_fiche():
    fiches = {f.famille for f in lire_catalogue().values()}
    assert set(FAMILLES_CONTEXTE) <= fiches


def test_colorer_par_categories_puis_par_trames():
    teintes = lire_aspect_libre().categories
    noms = [f"c{i:02d}" for i in range(len(teintes) + 1)]
    libre = composer_libre(
        "x", "X", table({"type": [*noms, None]}, [shapely.box(i, 0, i + 1, 1) for i in range(10)])
    )
    avant = libre.table.copy()
    colore = colorer(libre, "type")
    assert [c.libelle for c in colore.classes] == [*noms, SANS_VALEUR]
    # Passé la dernière teinte, la première revient sous une autre trame.
    assert colore.classes[len(teintes)].couleur == colore.classes[0].couleur
    assert colore.classes[len(teintes)].trame != colore.classes[0].trame
    assert colore.rangs.tolist() == list(range(10))
    assert libre.table.equals(avant)


def test_colorer_des_nombres_par_quantiles():
    libre = composer_libre("x", "X", table({"n": [*map(float, range(10)), np.nan]}))
    colore = colorer(libre, "n")
    assert colore.classes[0].libelle == "0 à moins de 1"
    assert colore.classes[-1].libelle == SANS_VALEUR
    assert colore.rangs[-1] == len(colore.classes) - 1
    # Cinq classes de nombres, la plus petite valeur dans la première, la plus grande dans la
    # dernière, et des rangs qui croissent avec la valeur.
    assert len(colore.classes) == 6
    assert colore.rangs[0] == 0
    assert colore.rangs[9] == 4
    assert (np.diff(colore.rangs[:10]) >= 0).all()


def test_peu_de_nombres_distincts_une_classe_chacun():
    colore = colorer(composer_libre("x", "X", table({"n": [3, 1, 3, 2]})), "n")
    assert [c.libelle for c in colore.classes] == ["1", "2", "3"]
    assert colore.rangs.tolist() == [2, 0, 2, 1]


def test_colorer_une_colonne_inconnue_ne_change_rien():
    libre = composer_libre("x", "X", table({"n": [1, 2]}))
    assert colorer(libre, "absente") is libre


def test_la_bulle_dit_le_nom_la_classe_et_les_champs_connus():
    colonnes = {c: [""] for c in SCHEMAS_COUCHES["marches"].colonnes}
    colonnes |= {"nom": ["Marché <b>"], "jour": [2], "debut_s": [28_800.0], "fin_s": [np.nan]}
    marches = lister_calques(TERRITOIRE, Themes(marches=table(colonnes)))["marches"]
    assert [t.replace("\u00a0", " ") for t in decrire_objet(marches, 0)] == [
        "Marché <b>",
        "Marchés hebdomadaires",
        "jour : mercredi",
        "de : 8 h",
    ]


def test_la_bulle_d_une_couche_libre_tait_l_inconnu_et_coupe_le_long():
    libre = composer_libre("x", "Essai", table({"a": [None], "b": [True], "c": ["z" * 500]}))
    lignes = decrire_objet(libre, 0)
    assert lignes[:2] == ["Essai", "b : oui"]
    assert len(lignes[2]) < 130
    assert lignes[2].endswith("…")


def test_les_points_se_posent_sur_les_lignes_sur_les_surfaces():
    pile = ["point", "ligne", "surface"]
    assert position_d_arrivee("point", pile) == 0
    assert position_d_arrivee("ligne", pile) == 1
    assert position_d_arrivee("surface", pile) == 2
    assert position_d_arrivee("surface", ["point"]) == 1


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("", "couleur : clé obligatoire absente"),
        ('couleur = "rouge"\nsans_valeur = "#000000"', "#rrggbb est attendue, trouvé « rouge »"),
    ],
)
def test_un_aspect_libre_fautif_se_dit(tmp_path, texte, attendu):
    fichier = tmp_path / "couches.toml"
    fichier.write_text(f"[couches_libres]\n{texte}\n", encoding="utf-8")
    with pytest.raises(ErreurConfiguration, match=attendu):
        lire_aspect_libre(fichier)


def test_un_catalogue_fautif_dit_la_fiche_et_la_cle(tmp_path):
    fichier = tmp_path / "couches.toml"
    fichier.write_text(
        '[catalogue.x]\ntitre = "X"\ngroupe = "libres"\nschema = "marches"\nnom = "absente"\n'
        'famille = "ovni"\nsource = "s"\nlicence = "l"\n'
        'classes = [{ libelle = "a", couleur = "#000000", trame = "plein" }]\n',
        encoding="utf-8",
    )
    with pytest.raises(ErreurConfiguration) as levee:
        lire_catalogue(fichier)
    assert "colonne « absente » absente du schéma marches" in str(levee.value)
    assert "valeur « ovni » inconnue" in str(levee.value)
