"""Cache des fichiers reçus, partagé entre territoires : rien n'est téléchargé deux fois."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from donnees_geo.erreurs import ErreurDonnees, ErreurEcriture, dire_raison
from donnees_geo.telechargement.client import (
    Avancement,
    Client,
    ErreurTelechargement,
    Service,
    Validateurs,
)
from donnees_geo.telechargement.contenu import calculer_somme, verifier_contenu, verifier_somme

journal = logging.getLogger(__name__)

#: ``cache`` : déjà là ; ``neuf`` : reçu ; ``inchange`` : le serveur confirme ; ``change`` : refait.
Provenance = Literal["cache", "neuf", "inchange", "change"]
_SOMME_MAX_OCTETS: Final = 64 * 1024


@dataclass(frozen=True)
class Objet:
    """Fichier du cache et ce qu'on sait de son origine.

    Attributes
    ----------
    adresse, chemin
        Adresse demandée ; fichier, à ne pas modifier.
    sha256, taille_octets
        Empreinte et taille.
    etag, modifie
        Version selon le serveur, vides s'il ne la dit pas.
    recu_le
        Date et heure UTC de réception, ISO 8601.
    provenance
        Comment cette exécution l'a obtenu.
    """

    adresse: str
    chemin: Path
    sha256: str
    taille_octets: int
    etag: str
    modifie: str
    recu_le: str
    provenance: Provenance = "cache"


def dossier_cache_par_defaut() -> Path:
    """Dossier de cache de l'utilisateur, selon le système (``DEMI_HEURE_CACHE`` l'emporte)."""
    choisi = os.environ.get("DEMI_HEURE_CACHE")
    if choisi:
        return Path(choisi)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "demi-heure"


class Cache:
    """Accès aux fichiers par leur adresse.

    Parameters
    ----------
    dossier
        Racine, créée au besoin.
    client
        ``None`` : hors ligne, seul ce qui est déjà là répond.
    rafraichir
        Demander au serveur si ce qui est déjà là a changé (une fois par exécution).
    """

    def __init__(self, dossier: Path, client: Client | None, *, rafraichir: bool = False) -> None:
        self.dossier = dossier
        self.client = client
        self.rafraichir = rafraichir
        self._vus: dict[str, Objet] = {}

    def trouver(self, adresse: str, format_attendu: str) -> Objet | None:
        """Fichier déjà en cache, s'il est entier ; ``None`` sinon."""
        place = self._place(adresse)
        fichier = place / f"contenu.{format_attendu}"
        try:
            fiche = json.loads((place / "fiche.json").read_text(encoding="utf-8"))
            objet = Objet(chemin=fichier, **fiche)
            entier = fichier.stat().st_size == objet.taille_octets
        except (OSError, ValueError, TypeError):
            return None
        return objet if entier and objet.adresse == adresse else None

    def obtenir(
        self,
        adresse: str,
        format_attendu: str,
        *,
        taille_max: int,
        somme: tuple[str, str] | None = None,
        suffixe_somme: str = "",
        service: Service | None = None,
        avancement: Avancement | None = None,
    ) -> Objet:
        """Rendre le fichier d'une adresse, du cache ou du réseau.

        Parameters
        ----------
        adresse, format_attendu
            Adresse, et format vérifié à la réception (extension du fichier).
        taille_max
            Octets admis.
        somme
            Algorithme et somme de contrôle annoncés, s'ils sont connus.
        suffixe_somme
            Suffixe de l'adresse d'une somme publiée à côté du fichier (``.md5``).
        service
            Égards dus à une adresse qui calcule sa réponse.
        avancement
            Appelée pendant la réception.

        Raises
        ------
        ErreurTelechargement
            Échec du réseau, ou fichier absent du cache hors ligne.
        ErreurDonnees
            Contenu refusé : il n'entre pas dans le cache.
        ErreurEcriture
            Disque du cache plein ou protégé.
        """
        if adresse in self._vus:
            return self._vus[adresse]
        connu = self.trouver(adresse, format_attendu)
        if connu is not None and (self.client is None or not self.rafraichir):
            self._vus[adresse] = connu
            return connu
        if self.client is None:
            raise ErreurTelechargement(
                "Hors ligne, et ce fichier n'est pas dans le cache.",
                objet=adresse,
                trouve=f"cache {self.dossier}",
                conseil="relancez sans --hors-ligne sur une machine qui a internet",
            )
        place = self._place(adresse)
        partiel = place / "partiel"
        connus = Validateurs(connu.etag, connu.modifie) if connu is not None else None
        with self._ecriture():
            place.mkdir(parents=True, exist_ok=True)
            version = self.client.telecharger(
                adresse,
                partiel,
                connus=connus,
                taille_max=taille_max,
                service=service,
                avancement=avancement,
            )
            if version is None and connu is not None:
                objet = replace(connu, provenance="inchange")
            else:
                objet = self._ranger(
                    adresse, format_attendu, version or Validateurs(), connu, somme, suffixe_somme
                )
        self._vus[adresse] = objet
        return objet

    @contextmanager
    def _ecriture(self) -> Iterator[None]:
        """Dire la panne du disque comme celle du cache, qui ne perd que la source en cours."""
        try:
            yield
        except OSError as erreur:
            raise ErreurEcriture(
                "Le fichier n'a pas pu être gardé dans le cache.",
                objet=self.dossier,
                trouve=dire_raison(erreur),
                conseil="libérez de la place, ou choisissez un autre disque (--cache)",
            ) from erreur

    def oublier(self, objet: Objet) -> None:
        """Retirer un fichier du cache : sa lecture l'a montré inutilisable."""
        self._vus.pop(objet.adresse, None)
        shutil.rmtree(self._place(objet.adresse), ignore_errors=True)

    def alleger(self, taille_min: int) -> int:
        """Retirer les fichiers employés par cette exécution qui pèsent au moins ``taille_min``.

        Returns
        -------
        int
            Octets libérés.
        """
        gros = [o for o in self._vus.values() if o.taille_octets >= taille_min]
        for objet in gros:
            self.oublier(objet)
        return sum(o.taille_octets for o in gros)

    def _ranger(
        self,
        adresse: str,
        format_attendu: str,
        version: Validateurs,
        connu: Objet | None,
        somme: tuple[str, str] | None,
        suffixe_somme: str,
    ) -> Objet:
        """Vérifier le fichier reçu, puis le mettre en place avec sa fiche."""
        place = self._place(adresse)
        partiel = place / "partiel"
        try:
            verifier_contenu(partiel, format_attendu, adresse)
            somme = somme or self._somme_publiee(adresse, suffixe_somme)
            if somme is not None:
                verifier_somme(partiel, *somme, adresse)
        except ErreurDonnees:
            partiel.unlink(missing_ok=True)
            raise
        empreinte = calculer_somme(partiel)
        fiche: dict[str, Any] = {
            "adresse": adresse,
            "sha256": empreinte,
            "taille_octets": partiel.stat().st_size,
            "etag": version.etag,
            "modifie": version.modifie,
            "recu_le": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        cible = place / f"contenu.{format_attendu}"
        # La fiche part avant le contenu et revient après : un arrêt laisse un objet à refaire.
        (place / "fiche.json").unlink(missing_ok=True)
        partiel.replace(cible)
        provisoire = place / "fiche.json.neuf"
        provisoire.write_text(json.dumps(fiche, ensure_ascii=False, indent=1), encoding="utf-8")
        provisoire.replace(place / "fiche.json")
        objet = Objet(chemin=cible, **fiche)
        if connu is None:
            return replace(objet, provenance="neuf")
        return replace(objet, provenance="inchange" if connu.sha256 == empreinte else "change")

    def _somme_publiee(self, adresse: str, suffixe: str) -> tuple[str, str] | None:
        """Somme publiée à côté du fichier ; ``None`` si elle ne l'est pas."""
        if not suffixe or self.client is None:
            return None
        fichier = self._place(adresse) / "somme"
        try:
            self.client.telecharger(adresse + suffixe, fichier, taille_max=_SOMME_MAX_OCTETS)
            mot = fichier.read_text(encoding="ascii", errors="replace").split()[0]
        except (ErreurTelechargement, IndexError) as erreur:
            journal.info("somme de contrôle de %s indisponible : %s", adresse, erreur)
            return None
        finally:
            fichier.unlink(missing_ok=True)
        # Une page d'erreur rendue avec le code 200 n'est pas une somme.
        return (suffixe.lstrip("."), mot) if re.fullmatch("[0-9a-fA-F]{32,128}", mot) else None

    def _place(self, adresse: str) -> Path:
        return self.dossier / "objets" / hashlib.sha256(adresse.encode()).hexdigest()[:32]
