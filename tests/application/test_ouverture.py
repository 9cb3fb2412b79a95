"""Ouverture du territoire par le serveur : une seule fois, et les clics préparés d'avance."""

from __future__ import annotations

from threading import Barrier, Event, Thread

import pytest

from donnees_geo.erreurs import ErreurConfiguration
from pages._carte.demandes import DemandeIsochrone
from pages._commun import ouverture
from pages._commun.memoire import CacheImages, CacheObjets
from pages._commun.ouverture import obtenir_partage, ouvrir_en_fond, prechauffer
from pages._commun.partage import PARTAGES_OUVERTS, partage_de_cle


def test_deux_fils_ne_calculent_qu_une_fois():
    cache, depart, calculs, rendus = CacheObjets(4), Barrier(2), [], []
    entre, continuer = Event(), Event()

    def calculer():
        calculs.append(1)
        entre.set()
        continuer.wait(10)
        return object()

    def demander():
        depart.wait(10)
        rendus.append(cache.obtenir("clic", calculer))

    fils = [Thread(target=demander) for _ in range(2)]
    for fil in fils:
        fil.start()
    assert entre.wait(10)
    continuer.set()
    for fil in fils:
        fil.join(10)
    assert len(calculs) == 1
    assert len(rendus) == 2 and rendus[0] is rendus[1]


def test_un_calcul_qui_echoue_est_repris_par_celui_qui_attendait():
    cache, entre, continuer, rendus = CacheObjets(4), Event(), Event(), []

    def echouer():
        entre.set()
        continuer.wait(10)
        raise ErreurConfiguration("Faute d'essai.")

    def premier():
        try:
            cache.obtenir("clic", echouer)
        except ErreurConfiguration as erreur:
            rendus.append(erreur.message)

    fil = Thread(target=premier)
    fil.start()
    assert entre.wait(10)
    second = Thread(target=lambda: rendus.append(cache.obtenir("clic", lambda: 7)))
    second.start()
    continuer.set()
    fil.join(10)
    second.join(10)
    assert sorted(rendus, key=str) == [7, "Faute d'essai."]
    assert cache.obtenir("clic", lambda: 8) == 7


def test_les_caches_oublient_le_plus_ancien():
    cache = CacheObjets(2)
    for nom in "aba":
        cache.obtenir(nom, lambda nom=nom: nom)
    cache.obtenir("c", lambda: "c")
    assert cache.obtenir("a", lambda: "neuf") == "a"
    assert cache.obtenir("b", lambda: "neuf") == "neuf"
    images = CacheImages(octets_max=10)
    for nom in "ab":
        images.obtenir(nom, lambda: b"12345678")
    assert images.obtenir("b", lambda: b"neuve") == b"12345678"
    assert images.obtenir("a", lambda: b"neuve") == b"neuve"


def test_le_territoire_n_est_ouvert_qu_une_fois(dossier_prepare):
    partage = obtenir_partage(dossier_prepare)
    assert obtenir_partage(dossier_prepare) is partage
    assert partage_de_cle(partage.cle) is partage
    assert partage_de_cle("ailleurs") is None


def test_le_premier_clic_est_prepare(dossier_prepare, monkeypatch):
    faites: list[DemandeIsochrone] = []
    monkeypatch.setattr(ouverture, "mesurer", lambda _partage, demande: faites.append(demande))
    partage = obtenir_partage(dossier_prepare)
    prechauffer(partage)
    assert [d.mode for d in faites] == ["marche", "velo", "voiture", "tc"]
    ((lon, lat),) = {d.points[0] for d in faites}
    ouest, sud, est, nord = partage.emprise_degres
    assert ouest < lon < est and sud < lat < nord


@pytest.mark.parametrize("avec_etude", [False, True])
def test_au_demarrage_seule_une_etude_deja_faite_est_ouverte(
    avec_etude, dossier_prepare, tmp_path, monkeypatch
):
    ouverts: list[object] = []
    fini = Event()

    def ouvrir(dossier):
        ouverts.append(dossier)
        fini.set()
        raise ErreurConfiguration("Territoire illisible.")

    monkeypatch.setattr(ouverture, "obtenir_partage", ouvrir)
    if avec_etude:
        obtenir_partage(dossier_prepare)
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier_prepare if avec_etude else tmp_path))
    ouvrir_en_fond()
    # Une faute est tue ici : la première session la rencontre et la dit.
    assert fini.wait(10 if avec_etude else 0.2) == avec_etude
    assert ouverts == ([dossier_prepare] if avec_etude else [])
    assert str(tmp_path) not in "".join(PARTAGES_OUVERTS)
