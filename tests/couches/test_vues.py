import json
import os

import pytest

from couches.vues import (
    FICHIER,
    NOM_MAX,
    ajouter_vue,
    deplacer_vue,
    ecrire_vues,
    lire_vues,
    retirer_vue,
)
from donnees_geo.erreurs import ErreurDonnees


def noms(vues):
    return [v.nom for v in vues]


def test_sans_fichier_il_n_y_a_pas_de_vue(tmp_path):
    assert lire_vues(tmp_path) == []


def test_une_vue_se_relit_telle_quelle(tmp_path):
    reglages = {"mesure": "medecin", "vue": "45.4,-3.4,13", "zone": "commune:00001"}
    ajouter_vue(tmp_path, "  Médecins,\n centre ", reglages)
    (vue,) = lire_vues(tmp_path)
    assert vue.nom == "Médecins, centre"
    assert vue.reglages == reglages


def test_le_meme_nom_remplace_a_sa_place(tmp_path):
    for nom in ("A", "B", "C"):
        ajouter_vue(tmp_path, nom, {"mesure": nom})
    vues = ajouter_vue(tmp_path, "B", {"mesure": "neuve"})
    assert noms(vues) == ["A", "B", "C"]
    assert vues[1].reglages == {"mesure": "neuve"}


def test_les_vues_se_rangent_et_se_retirent(tmp_path):
    for nom in ("A", "B", "C"):
        ajouter_vue(tmp_path, nom, {})
    assert noms(deplacer_vue(tmp_path, "C", -1)) == ["A", "C", "B"]
    assert noms(deplacer_vue(tmp_path, "A", -1)) == ["A", "C", "B"]
    assert noms(deplacer_vue(tmp_path, "A", 1)) == ["C", "A", "B"]
    assert noms(deplacer_vue(tmp_path, "Z", 1)) == ["C", "A", "B"]
    assert noms(retirer_vue(tmp_path, "A")) == ["C", "B"]
    assert noms(lire_vues(tmp_path)) == ["C", "B"]


@pytest.mark.parametrize("nom", ["", "   ", "x" * (NOM_MAX + 1)])
def test_un_nom_inadmissible_est_refuse(tmp_path, nom):
    with pytest.raises(ErreurDonnees, match="nom de la vue"):
        ajouter_vue(tmp_path, nom, {})
    assert not (tmp_path / FICHIER).exists()


@pytest.mark.parametrize("contenu", ["{", "[]", '{"format": 99, "vues": []}', '{"format": 1}'])
def test_un_fichier_abime_se_dit_et_n_est_pas_ecrase(tmp_path, contenu):
    (tmp_path / FICHIER).write_text(contenu, encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="illisible"):
        ajouter_vue(tmp_path, "A", {})
    assert (tmp_path / FICHIER).read_text(encoding="utf-8") == contenu


def test_un_echec_d_ecriture_laisse_les_anciennes_vues(tmp_path):
    ajouter_vue(tmp_path, "A", {})
    avant = (tmp_path / FICHIER).read_text(encoding="utf-8")
    if os.geteuid() == 0:
        # L'administrateur écrit partout : on occupe la place du fichier par un dossier.
        autre = tmp_path / "autre"
        (autre / FICHIER).mkdir(parents=True)
        with pytest.raises(ErreurDonnees):
            ecrire_vues(autre, [])
    else:
        tmp_path.chmod(0o500)
        with pytest.raises(ErreurDonnees):
            ajouter_vue(tmp_path, "B", {})
        tmp_path.chmod(0o700)
    assert (tmp_path / FICHIER).read_text(encoding="utf-8") == avant
    assert json.loads(avant)["vues"][0]["nom"] == "A"
