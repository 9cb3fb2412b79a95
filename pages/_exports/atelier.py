"""Atelier des exports : un à la fois pour tout le serveur, chacun dans son processus.

Les autres attendent leur tour. Les archives faites restent sur le disque, dans un dossier
provisoire du serveur, jusqu'à ce que de plus récentes les remplacent ; aucune n'est en mémoire.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

from donnees_geo.erreurs import ErreurConfiguration
from pages._exports.demande import Commande, DemandeExport

_JOURNAL = logging.getLogger(__name__)
RACINE: Final = Path(__file__).resolve().parent.parent.parent
#: Exports qui peuvent attendre, pour tout le serveur.
FILE_MAX: Final = 8
#: Archives gardées, en nombre et en octets, pour tout le serveur.
ARCHIVES_MAX: Final = 20
OCTETS_MAX: Final = 1_000_000_000
#: Délai laissé à un export interrompu pour ranger ses fichiers, s.
DELAI_ARRET_S: Final = 20.0


class EtatTravail(StrEnum):
    """Où en est un export."""

    ATTENTE = "attente"
    EN_COURS = "en_cours"
    FAIT = "fait"
    INTERROMPU = "interrompu"
    ECHEC = "echec"


FINIS: Final = (EtatTravail.FAIT, EtatTravail.INTERROMPU, EtatTravail.ECHEC)


@dataclass(frozen=True)
class Travail:
    """Un export, tel qu'il est à un instant.

    Attributes
    ----------
    jeton
        Ce qui le désigne dans une adresse : imprévisible.
    suivi
        Qui l'a demandé.
    libelle, nom
        Ce qu'il est, et le nom de son archive.
    etat, etape, part
        Avancement ; ``part`` de 0 à 1.
    contenu
        ``(nom, octets)`` des fichiers de l'archive faite.
    octets
        Taille de l'archive faite.
    message, detail
        Ce qui a échoué, et que faire.
    """

    jeton: str
    suivi: str
    libelle: str
    nom: str
    etat: EtatTravail = EtatTravail.ATTENTE
    etape: str = ""
    part: float = 0.0
    contenu: tuple[tuple[str, int], ...] = ()
    octets: int = 0
    message: str = ""
    detail: str = ""


class Atelier:
    """File des exports d'un serveur."""

    def __init__(self, racine: Path) -> None:
        self._racine = racine
        self._verrou = Lock()
        self._travaux: dict[str, Travail] = {}
        self._attente: deque[tuple[str, Commande]] = deque()
        self._processus: dict[str, subprocess.Popen[str]] = {}
        self._a_interrompre: set[str] = set()
        self._au_travail = False

    @property
    def dossier_etude(self) -> Path:
        """Où garder l'étude d'un territoire dont le dossier est protégé."""
        return self._racine / "etudes"

    def deposer(
        self,
        suivi: str,
        libelle: str,
        nom: str,
        dossier: Path,
        resultats: Path,
        demande: DemandeExport,
    ) -> Travail:
        """Mettre un export dans la file.

        Parameters
        ----------
        suivi
            Qui le demande.
        libelle, nom
            Ce qu'il est, et le nom de son archive (``.zip``).
        dossier, resultats
            Territoire préparé, et son étude.
        demande
            Ce qui est demandé.

        Raises
        ------
        ErreurConfiguration
            Trop d'exports attendent déjà.
        """
        travail = Travail(secrets.token_urlsafe(18), suivi, libelle, nom)
        commande = Commande(dossier, resultats, self._dossier(travail.jeton) / nom, demande)
        with self._verrou:
            if len(self._attente) >= FILE_MAX:
                raise ErreurConfiguration(
                    "Trop d'exports attendent déjà leur tour.",
                    attendu=f"{FILE_MAX} au plus",
                    conseil="attendre que l'un d'eux finisse, ou en interrompre un",
                )
            self._travaux[travail.jeton] = travail
            self._attente.append((travail.jeton, commande))
            if not self._au_travail:
                self._au_travail = True
                Thread(target=self._travailler, daemon=True).start()
        return travail

    def travaux(self, suivi: str) -> list[Travail]:
        """Exports demandés par quelqu'un, du plus récent au plus ancien."""
        with self._verrou:
            return [t for t in reversed(self._travaux.values()) if t.suivi == suivi]

    def rang(self, jeton: str) -> int:
        """Nombre d'exports à faire avant celui-ci, celui en cours compris."""
        with self._verrou:
            avant = [j for j, _ in self._attente]
            return avant.index(jeton) + len(self._processus) if jeton in avant else 0

    def archive(self, jeton: str, nom: str) -> Path | None:
        """Archive faite, ou ``None`` si elle n'existe pas ou n'existe plus."""
        with self._verrou:
            travail = self._travaux.get(jeton)
        if travail is None or travail.etat != EtatTravail.FAIT or travail.nom != nom:
            return None
        return self._dossier(jeton) / travail.nom

    def interrompre(self, jeton: str) -> None:
        """Retirer un export de la file, ou arrêter son processus, qui range ce qu'il a commencé."""
        with self._verrou:
            restants = deque((j, c) for j, c in self._attente if j != jeton)
            if len(restants) < len(self._attente):
                self._attente = restants
                self._changer(jeton, etat=EtatTravail.INTERROMPU)
                return
            travail = self._travaux.get(jeton)
            if travail is None or travail.etat != EtatTravail.EN_COURS:
                return
            self._a_interrompre.add(jeton)
            processus = self._processus.get(jeton)
        if processus is not None:
            processus.terminate()
            Thread(target=_achever, args=(processus,), daemon=True).start()

    def oublier(self, jeton: str) -> None:
        """Retirer un export fini, et son archive."""
        with self._verrou:
            travail = self._travaux.get(jeton)
            if travail is None or travail.etat not in FINIS:
                return
            del self._travaux[jeton]
        shutil.rmtree(self._dossier(jeton), ignore_errors=True)

    def _dossier(self, jeton: str) -> Path:
        return self._racine / jeton

    def _changer(self, jeton: str, **champs: Any) -> None:
        """Mettre un travail à jour ; le verrou est tenu par l'appelant."""
        self._travaux[jeton] = replace(self._travaux[jeton], **champs)

    def _travailler(self) -> None:
        while True:
            with self._verrou:
                if not self._attente:
                    self._au_travail = False
                    return
                jeton, commande = self._attente.popleft()
                self._changer(jeton, etat=EtatTravail.EN_COURS, etape="démarrage")
            try:
                fin = self._executer(jeton, commande)
            except OSError as erreur:
                _JOURNAL.error("Export impossible", exc_info=erreur)
                fin = _dire_echec({}, f"{erreur.strerror or type(erreur).__name__}")
            if fin["etat"] != EtatTravail.FAIT:
                shutil.rmtree(self._dossier(jeton), ignore_errors=True)
            with self._verrou:
                self._processus.pop(jeton, None)
                self._a_interrompre.discard(jeton)
                self._changer(jeton, **fin)
            self._faire_place()

    def _executer(self, jeton: str, commande: Commande) -> dict[str, Any]:
        """Lancer le processus, suivre ce qu'il dit ; rend l'état final du travail."""
        dossier = self._dossier(jeton)
        dossier.mkdir(parents=True)
        ordre = dossier / "commande.json"
        commande.ecrire(ordre)
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as journal:
            processus = subprocess.Popen(
                [sys.executable, "-m", "pages._exports.processus", str(ordre)],
                cwd=RACINE,
                stdout=subprocess.PIPE,
                stderr=journal,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=os.environ | {"PYTHONIOENCODING": "utf-8", "TMPDIR": str(dossier)},
                start_new_session=True,
            )
            with self._verrou:
                self._processus[jeton] = processus
                demande_arret = jeton in self._a_interrompre
            if demande_arret:
                processus.terminate()
            dit = self._suivre(jeton, processus)
            code = processus.wait()
            ordre.unlink()
            if code == 0 and commande.archive.is_file():
                return _decrire_archive(commande.archive)
            with self._verrou:
                if jeton in self._a_interrompre:
                    return {"etat": EtatTravail.INTERROMPU}
            journal.seek(0)
            _JOURNAL.error("Export en échec (code %s) : %s", code, journal.read()[-4000:])
            return _dire_echec(dit, f"code {code}")

    def _suivre(self, jeton: str, processus: subprocess.Popen[str]) -> dict[str, Any]:
        """Noter l'avancement ; rend le dernier message d'erreur du processus."""
        faute: dict[str, Any] = {}
        for ligne in processus.stdout or ():
            try:
                dit = json.loads(ligne)
            except ValueError:
                continue
            if "message" in dit:
                faute = dit
            elif "part" in dit:
                with self._verrou:
                    self._changer(jeton, etape=str(dit["etape"]), part=float(dit["part"]))
        return faute

    def _faire_place(self) -> None:
        """Retirer les archives les plus anciennes au-delà de ce qui est gardé."""
        with self._verrou:
            finis = [t for t in self._travaux.values() if t.etat in FINIS]
            surplus: list[str] = []
            octets = sum(t.octets for t in finis)
            for travail in finis[:-1]:
                if len(finis) - len(surplus) <= ARCHIVES_MAX and octets <= OCTETS_MAX:
                    break
                surplus.append(travail.jeton)
                octets -= travail.octets
        for jeton in surplus:
            self.oublier(jeton)


def _achever(processus: subprocess.Popen[str]) -> None:
    """Tuer un processus (et ceux qu'il a lancés) qui ne s'arrête pas de lui-même."""
    try:
        processus.wait(DELAI_ARRET_S)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(processus.pid, signal.SIGKILL)
        else:
            processus.kill()


def _decrire_archive(archive: Path) -> dict[str, Any]:
    with zipfile.ZipFile(archive) as lue:
        contenu = tuple((f.filename, f.file_size) for f in lue.infolist())
    return {
        "etat": EtatTravail.FAIT,
        "part": 1.0,
        "contenu": contenu,
        "octets": archive.stat().st_size,
    }


def _dire_echec(dit: Mapping[str, Any], cause: str) -> dict[str, Any]:
    """État d'un échec : ce qu'a dit le processus, à défaut une faute du programme."""
    if not dit:
        detail = f"Recommencez ; si l'échec revient, transmettez le journal du serveur ({cause})."
        message = "L'export s'est arrêté sur une faute imprévue."
        return {"etat": EtatTravail.ECHEC, "message": message, "detail": detail}
    conseil = f"À faire : {dit['conseil']}" if dit.get("conseil") else ""
    detail = " — ".join(t for t in (dit.get("objet") or "", conseil) if t)
    return {"etat": EtatTravail.ECHEC, "message": dit["message"], "detail": detail}


@cache
def _dossier_du_serveur() -> tempfile.TemporaryDirectory[str]:
    # Retiré, avec les archives, quand le serveur s'arrête.
    return tempfile.TemporaryDirectory(prefix="demi-heure-exports-")


@cache
def atelier_du_serveur() -> Atelier:
    """Atelier commun à toutes les sessions de ce serveur."""
    return Atelier(Path(_dossier_du_serveur().name))
