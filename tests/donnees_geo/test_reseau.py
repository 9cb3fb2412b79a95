"""Réseau compact : rangement, extraction, enregistrement."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from donnees_geo.erreurs import ErreurReseau
from donnees_geo.reseau import (
    ESCALIER,
    MARCHE_ALLER,
    MARCHE_RETOUR,
    VELO_ALLER,
    VELO_POUSSE_RETOUR,
    VELO_RETOUR,
    VOITURE_ALLER,
    VOITURE_RETOUR,
    ReseauRues,
    charger_reseau,
    enregistrer_reseau,
    extraire_troncons,
    inverser_acces,
    longueurs_lignes,
    rang_hilbert,
    ranger_reseau,
)


@pytest.fixture
def reseau() -> ReseauRues:
    """Trois rues : 0-1 droite, 1-2 coudée, 2-0 droite."""
    x = np.array([0.0, 100.0, 0.0])
    y = np.array([0.0, 0.0, 100.0])
    gx = np.array([0.0, 100.0, 100.0, 100.0, 0.0, 0.0, 0.0])
    gy = np.array([0.0, 0.0, 0.0, 100.0, 100.0, 100.0, 0.0])
    debut = np.array([0, 2, 5, 7])
    return ReseauRues(
        crs="EPSG:2154",
        noeud_x=x,
        noeud_y=y,
        noeud_osm=np.array([10, 11, 12]),
        troncon_origine=np.array([0, 1, 2], dtype=np.int32),
        troncon_destination=np.array([1, 2, 0], dtype=np.int32),
        troncon_longueur_m=longueurs_lignes(gx, gy, debut),
        troncon_way=np.array([5, 6, 7]),
        troncon_classe=np.array([12, 18, 12], dtype=np.uint8),
        troncon_acces=np.array(
            [MARCHE_ALLER | VOITURE_ALLER, MARCHE_RETOUR | VELO_POUSSE_RETOUR, VELO_ALLER],
            dtype=np.uint16,
        ),
        troncon_vitesse_kmh=np.array([np.nan, 30, 50], dtype=np.float32),
        troncon_nom=np.array([1, -1, 0], dtype=np.int32),
        noms=("Rue de l'Église", "Großer Weg"),
        geometrie_debut=debut,
        geometrie_x=gx,
        geometrie_y=gy,
    )


def test_longueurs(reseau: ReseauRues) -> None:
    assert reseau.troncon_longueur_m.tolist() == [100, 200, 100]
    assert reseau.longueur_totale_m == 400
    assert reseau.emprise_m == (0, 0, 100, 100)
    assert longueurs_lignes(np.empty(0), np.empty(0), np.array([0])).size == 0


def test_troncons_permis(reseau: ReseauRues) -> None:
    assert reseau.troncons_permis("marche").tolist() == [True, True, False]
    assert reseau.troncons_permis("velo").tolist() == [False, True, True]
    assert reseau.troncons_permis("voiture").tolist() == [True, False, False]


def test_inverser_acces() -> None:
    bits = np.array([MARCHE_ALLER | VOITURE_RETOUR | ESCALIER, VELO_ALLER | VELO_RETOUR], np.uint16)
    avant = bits.copy()
    assert inverser_acces(bits).tolist() == [
        MARCHE_RETOUR | VOITURE_ALLER | ESCALIER,
        VELO_ALLER | VELO_RETOUR,
    ]
    np.testing.assert_array_equal(bits, avant)
    np.testing.assert_array_equal(inverser_acces(inverser_acces(bits)), bits)


def test_lignes(reseau: ReseauRues) -> None:
    lignes = reseau.lignes(np.array([2, 1]))
    assert [ligne.wkt for ligne in lignes] == [
        "LINESTRING (0 100, 0 0)",
        "LINESTRING (100 0, 100 100, 0 100)",
    ]


def test_extraire(reseau: ReseauRues) -> None:
    extrait = extraire_troncons(reseau, np.array([1]))
    assert extrait.noeud_osm.tolist() == [11, 12]
    assert extrait.troncon_origine.tolist() == [0]
    assert extrait.troncon_destination.tolist() == [1]
    assert extrait.geometrie_x.tolist() == [100, 100, 0]
    assert extrait.geometrie_debut.tolist() == [0, 3]
    vide = extraire_troncons(reseau, np.empty(0, dtype=np.int64), ranger=True)
    assert (vide.nombre_noeuds, vide.nombre_troncons) == (0, 0)
    assert np.isnan(vide.emprise_m).all()


def test_ranger_ne_change_que_l_ordre(reseau: ReseauRues) -> None:
    avec_altitude = replace(reseau, geometrie_altitude_m=np.arange(7, dtype=np.float32))
    range_ = ranger_reseau(avec_altitude)
    ordre = np.argsort(range_.troncon_way)
    assert range_.troncon_way[ordre].tolist() == [5, 6, 7]
    assert range_.noeud_osm[range_.troncon_origine[ordre]].tolist() == [10, 11, 12]
    assert range_.noeud_osm[range_.troncon_destination[ordre]].tolist() == [11, 12, 10]
    assert (np.diff(range_.troncon_origine) >= 0).all()
    for t, way in enumerate(range_.troncon_way):
        tranche = slice(range_.geometrie_debut[t], range_.geometrie_debut[t + 1])
        attendu = {5: [0, 1], 6: [2, 3, 4], 7: [5, 6]}[int(way)]
        assert range_.geometrie_altitude_m is not None
        assert range_.geometrie_altitude_m[tranche].tolist() == attendu


def test_hilbert_est_continue() -> None:
    """Sur une grille complète de 2^k cellules, la courbe avance d'une cellule à la fois."""
    cote = 32
    x, y = (v.ravel().astype(float) for v in np.meshgrid(np.arange(cote), np.arange(cote)))
    rang = rang_hilbert(x, y)
    assert np.unique(rang).size == cote * cote
    ordre = np.argsort(rang)
    pas = np.abs(np.diff(x[ordre])) + np.abs(np.diff(y[ordre]))
    assert (pas == 1).all()


def test_hilbert_cas_limites() -> None:
    assert rang_hilbert(np.empty(0), np.empty(0)).size == 0
    assert rang_hilbert(np.array([5.0]), np.array([7.0])).tolist() == [0]
    assert rang_hilbert(np.array([5.0, 5.0]), np.array([7.0, 7.0])).tolist() == [0, 0]


@pytest.mark.parametrize("altitude", [False, True])
def test_enregistrer_puis_charger(reseau: ReseauRues, tmp_path: Path, altitude: bool) -> None:
    if altitude:
        reseau = replace(reseau, geometrie_altitude_m=np.arange(7, dtype=np.float32))
    fichier = tmp_path / "reseau.npz"
    enregistrer_reseau(reseau, fichier)
    relu = charger_reseau(fichier)
    for champ in fields(ReseauRues):
        attendu, obtenu = getattr(reseau, champ.name), getattr(relu, champ.name)
        if isinstance(attendu, np.ndarray):
            assert obtenu.dtype == attendu.dtype
            np.testing.assert_array_equal(obtenu, attendu)
        else:
            assert obtenu == attendu
    assert list(tmp_path.iterdir()) == [fichier]


def test_enregistrer_remplace_d_un_coup(reseau: ReseauRues, tmp_path: Path) -> None:
    fichier = tmp_path / "reseau.npz"
    enregistrer_reseau(reseau, fichier)
    enregistrer_reseau(extraire_troncons(reseau, np.array([0])), fichier)
    assert charger_reseau(fichier).nombre_troncons == 1


def test_charger_fichier_fautif(reseau: ReseauRues, tmp_path: Path) -> None:
    with pytest.raises(ErreurReseau, match=r"absent ou illisible(.|\n)*preparer"):
        charger_reseau(tmp_path / "absent.npz")
    fichier = tmp_path / "reseau.npz"
    enregistrer_reseau(reseau, fichier)
    fichier.write_bytes(fichier.read_bytes()[:500])
    with pytest.raises(ErreurReseau, match="illisible"):
        charger_reseau(fichier)
    np.savez(fichier, autre=np.arange(3))
    with pytest.raises(ErreurReseau, match=r"pas un réseau(.|\n)*troncon_origine"):
        charger_reseau(fichier)
    np.savez(fichier, crs=np.array([{"objet": 1}], dtype=object))
    with pytest.raises(ErreurReseau, match="illisible"):
        charger_reseau(fichier)
