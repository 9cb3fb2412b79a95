"""Client HTTP poli et obstiné : essais espacés, reprise, tailles vérifiées, refus expliqués.

Le contenu va dans un fichier partiel, que l'appelant met en place quand il l'a jugé bon.
"""

from __future__ import annotations

import email.utils
import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
import urllib3

from donnees_geo.erreurs import ErreurDonnees

journal = logging.getLogger(__name__)

AGENT: Final = "demi-heure/0.1 (acces aux services ; donnees ouvertes)"
#: Octets reçus, octets attendus (``None`` si le serveur ne le dit pas).
Avancement = Callable[[int, int | None], None]

_PASSAGERS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_SURCHARGES: Final = frozenset({429, 504})
_ABSENTS: Final = frozenset({404, 410})
_BLOC: Final = 1 << 18
#: Place laissée libre sur le disque.
_RESERVE_DISQUE: Final = 200 * 1024**2


class ErreurTelechargement(ErreurDonnees):
    """Adresse qui ne donne pas la donnée attendue."""


class FichierTropGros(ErreurTelechargement):
    """Taille au-delà de celle que le catalogue admet."""


class AdresseAbsente(ErreurTelechargement):
    """Le serveur dit n'avoir rien à cette adresse (404 ou 410)."""


@dataclass(frozen=True)
class Validateurs:
    """Ce par quoi un serveur reconnaît une version d'un fichier (vide : il ne dit rien)."""

    etag: str = ""
    modifie: str = ""

    @property
    def pour_reprise(self) -> str:
        """Valeur d'``If-Range`` : une étiquette forte, sinon la date ; vide : reprise risquée."""
        return self.modifie if not self.etag or self.etag.startswith("W/") else self.etag


@dataclass(frozen=True)
class Reglages:
    """Patience du client.

    Attributes
    ----------
    tentatives
        Essais par adresse.
    attente_s
        Premier délai entre deux essais, doublé à chaque fois, secondes.
    attente_max_s
        Délai le plus long accepté, y compris quand le serveur le demande (``Retry-After``).
    surcharge_s
        Premier délai quand le serveur se dit trop demandé (429, 504) sans dire combien attendre.
    connexion_s, lecture_s
        Délais d'établissement de la connexion, et sans recevoir un octet.
    """

    tentatives: int = 5
    attente_s: float = 1.0
    attente_max_s: float = 120.0
    surcharge_s: float = 15.0
    connexion_s: float = 15.0
    lecture_s: float = 60.0


@dataclass(frozen=True)
class Service:
    """Égards dus à une adresse qui calcule sa réponse.

    Attributes
    ----------
    delai_reponse_s
        Temps laissé au calcul avant le premier octet, s'il dépasse celui du client : redemander
        plus tôt ferait tout recommencer au service.
    compresse
        Demander une réponse compressée ; elle ne peut pas être reprise.
    """

    delai_reponse_s: float = 0.0
    compresse: bool = False


class _Passagere(Exception):
    """Incident qui mérite un nouvel essai, après ``attente_s`` si le serveur le demande."""

    def __init__(
        self,
        motif: str,
        attente_s: float | None = None,
        *,
        muet: bool = False,
        surcharge: bool = False,
    ) -> None:
        super().__init__(motif)
        self.attente_s = attente_s
        self.muet = muet
        self.surcharge = surcharge


class Client:
    """Téléchargeur d'une exécution ; se souvient des serveurs qui ne répondent pas."""

    def __init__(
        self, reglages: Reglages | None = None, *, dormir: Callable[[float], None] = time.sleep
    ) -> None:
        self._reglages = reglages or Reglages()
        self._dormir = dormir
        self._session = requests.Session()
        self._session.max_redirects = 8
        # Sans compression de transport, tailles et reprises portent sur les octets du fichier.
        self._session.headers.update({"User-Agent": AGENT, "Accept-Encoding": "identity"})
        self._hotes_muets: set[str] = set()

    def telecharger(
        self,
        adresse: str,
        partiel: Path,
        *,
        connus: Validateurs | None = None,
        taille_max: int,
        service: Service | None = None,
        avancement: Avancement | None = None,
    ) -> Validateurs | None:
        """Recevoir une adresse dans ``partiel``, en reprenant ce qui y est déjà si c'est sûr.

        Parameters
        ----------
        adresse
            http ou https.
        partiel
            Fichier à remplir ; un ``.json`` voisin garde de quoi le reprendre.
        connus
            Version déjà possédée : si elle est toujours la bonne, rien n'est reçu.
        taille_max
            Octets au-delà desquels le fichier est refusé.
        service
            Ce qui change quand l'adresse calcule sa réponse au lieu de rendre un fichier.
        avancement
            Appelée à mesure.

        Returns
        -------
        Validateurs or None
            Version reçue ; ``None`` si ``connus`` est à jour.

        Raises
        ------
        ErreurTelechargement
            Adresse absente ou refusée, serveur en panne après tous les essais, fichier trop gros.
        """
        hote = self._hote(adresse)
        motif = ""
        for essai in range(self._reglages.tentatives):
            try:
                return self._essayer(
                    adresse, partiel, connus, taille_max, service or Service(), avancement
                )
            except FichierTropGros:
                _oublier_partiel(partiel)
                raise
            except _Passagere as incident:
                motif = str(incident)
                journal.info("%s : %s (essai %d)", adresse, motif, essai + 1)
                premiere = (
                    self._reglages.surcharge_s if incident.surcharge else self._reglages.attente_s
                )
                attente = incident.attente_s or premiere * 2**essai
                if attente > self._reglages.attente_max_s:
                    raise ErreurTelechargement(
                        "Le serveur demande d'attendre trop longtemps.",
                        objet=adresse,
                        trouve=f"{motif}, attente de {attente:.0f} s",
                        conseil="relancez la commande plus tard : ce qui est reçu est gardé",
                    ) from incident
                dernier = essai + 1 == self._reglages.tentatives
                if dernier and incident.muet:
                    self._hotes_muets.add(hote)
                if not dernier:
                    self._dormir(attente)
        raise ErreurTelechargement(
            f"Le téléchargement a échoué après {self._reglages.tentatives} essais.",
            objet=adresse,
            trouve=motif,
            conseil="vérifiez l'accès à internet (mandataire : variable HTTPS_PROXY), puis "
            "relancez : ce qui est reçu est gardé",
        )

    def mesurer(self, adresse: str) -> int | None:
        """Taille annoncée d'une adresse (requête HEAD), octets ; ``None`` si elle est inconnue."""
        if self._hote(adresse) in self._hotes_muets:
            return None
        try:
            reponse = self._session.head(
                adresse,
                allow_redirects=True,
                timeout=(self._reglages.connexion_s, self._reglages.lecture_s),
            )
        except requests.RequestException as erreur:
            journal.info("%s : taille inconnue (%s)", adresse, erreur)
            return None
        return _taille(reponse) if reponse.status_code == 200 else None

    def _hote(self, adresse: str) -> str:
        parties = urlsplit(adresse)
        if parties.scheme not in ("http", "https") or not parties.hostname:
            raise ErreurTelechargement(
                "Adresse inutilisable.",
                objet=adresse,
                attendu="une adresse http:// ou https://",
                conseil="corrigez le catalogue des sources",
            )
        return parties.netloc

    def _essayer(
        self,
        adresse: str,
        partiel: Path,
        connus: Validateurs | None,
        taille_max: int,
        service: Service,
        avancement: Avancement | None,
    ) -> Validateurs | None:
        hote = self._hote(adresse)
        if hote in self._hotes_muets:
            raise ErreurTelechargement("Le serveur ne répond pas.", objet=hote, trouve=adresse)
        debut, reprise = _lire_reprise(partiel)
        entetes = {"Accept-Encoding": "gzip"} if service.compresse else {}
        if debut:
            entetes |= {"Range": f"bytes={debut}-", "If-Range": reprise.pour_reprise}
        elif connus is not None:
            if connus.etag:
                entetes["If-None-Match"] = connus.etag
            if connus.modifie:
                entetes["If-Modified-Since"] = connus.modifie
        try:
            with self._session.get(
                adresse,
                headers=entetes,
                stream=True,
                timeout=(
                    self._reglages.connexion_s,
                    max(self._reglages.lecture_s, service.delai_reponse_s),
                ),
            ) as reponse:
                _refuser_declassement(adresse, reponse)
                if reponse.status_code == 304 and not debut:
                    return None
                self._juger(adresse, reponse, partiel)
                return _recevoir(reponse, partiel, debut, taille_max, avancement)
        except (urllib3.exceptions.HTTPError, requests.RequestException) as erreur:
            raise _traduire(adresse, erreur) from erreur

    def _juger(self, adresse: str, reponse: requests.Response, partiel: Path) -> None:
        """Lever ce que dit le code de la réponse, s'il n'est ni 200 ni 206."""
        code = reponse.status_code
        if code in (200, 206):
            return
        trouve = f"HTTP {code} {reponse.reason or ''}".strip()
        if code == 416:
            _oublier_partiel(partiel)
            raise _Passagere("reprise refusée par le serveur", 0.001)
        if code in _PASSAGERS:
            attente = _lire_attente(reponse.headers.get("Retry-After", ""))
            raise _Passagere(trouve, attente, surcharge=code in _SURCHARGES)
        if code in _ABSENTS:
            raise AdresseAbsente(
                "Le fichier n'est plus à cette adresse.",
                objet=adresse,
                trouve=trouve,
                conseil="cherchez la nouvelle adresse sur la page du producteur et corrigez-la "
                "dans le catalogue (--catalogue)",
            )
        if code in (401, 403, 451):
            raise ErreurTelechargement(
                "Le serveur refuse de donner ce fichier à un programme.",
                objet=adresse,
                trouve=trouve,
                conseil="téléchargez-le avec un navigateur et posez-le à la main",
            )
        raise ErreurTelechargement("Réponse inattendue du serveur.", objet=adresse, trouve=trouve)


def _recevoir(
    reponse: requests.Response,
    partiel: Path,
    debut: int,
    taille_max: int,
    avancement: Avancement | None,
) -> Validateurs:
    """Écrire le corps d'une réponse à la suite de ce qui est déjà là, ou à sa place."""
    recus = debut if reponse.status_code == 206 else 0
    if reponse.status_code == 206 and _premier_octet(reponse) != debut:
        _oublier_partiel(partiel)
        raise _Passagere("le serveur reprend à un autre endroit", 0.001)
    reste = _taille(reponse)
    total = None if reste is None else recus + reste
    if total is not None:
        _refuser_taille(reponse.url, total, taille_max)
        _refuser_disque(partiel, total - recus)
    version = Validateurs(reponse.headers.get("ETag", ""), reponse.headers.get("Last-Modified", ""))
    # L'ancien témoin part d'abord : il ne doit jamais accompagner le début d'une autre version.
    _temoin(partiel).unlink(missing_ok=True)
    with partiel.open("ab" if recus else "wb") as sortie:
        # Les octets gardés d'une réponse compressée sont décompressés : ils ne se reprennent pas.
        if version.pour_reprise and not _est_compressee(reponse):
            _temoin(partiel).write_text(json.dumps(asdict(version)), encoding="utf-8")
        for bloc in _blocs(reponse):
            recus += len(bloc)
            _refuser_taille(reponse.url, recus, taille_max)
            sortie.write(bloc)
            if avancement is not None:
                avancement(recus, total)
    if total is not None and recus != total:
        if recus > total:
            _oublier_partiel(partiel)
        raise _Passagere(f"transfert coupé : {recus} octets reçus sur {total}")
    _temoin(partiel).unlink(missing_ok=True)
    return version


def _blocs(reponse: requests.Response) -> Iterator[bytes]:
    """Corps de la réponse ; décompressé si le serveur a compressé malgré la demande."""
    if _est_compressee(reponse):
        yield from reponse.iter_content(_BLOC)
    else:
        yield from reponse.raw.stream(_BLOC, decode_content=False)


def _taille(reponse: requests.Response) -> int | None:
    texte = reponse.headers.get("Content-Length", "")
    return int(texte) if texte.isdigit() and not _est_compressee(reponse) else None


def _est_compressee(reponse: requests.Response) -> bool:
    return reponse.headers.get("Content-Encoding", "identity") != "identity"


def _premier_octet(reponse: requests.Response) -> int:
    trouve = re.match(r"bytes (\d+)-", reponse.headers.get("Content-Range", ""))
    return int(trouve[1]) if trouve else -1


def _temoin(partiel: Path) -> Path:
    return partiel.with_name(partiel.name + ".json")


def _oublier_partiel(partiel: Path) -> None:
    partiel.unlink(missing_ok=True)
    _temoin(partiel).unlink(missing_ok=True)


def _lire_reprise(partiel: Path) -> tuple[int, Validateurs]:
    """Octets déjà reçus et leur version ; (0, vide) si rien ne permet de reprendre sans risque."""
    try:
        version = Validateurs(**json.loads(_temoin(partiel).read_text(encoding="utf-8")))
        taille = partiel.stat().st_size
    except (OSError, ValueError, TypeError):
        return 0, Validateurs()
    return (taille, version) if version.pour_reprise else (0, Validateurs())


def _lire_attente(texte: str) -> float | None:
    """Délai d'un ``Retry-After`` (secondes ou date HTTP), en secondes."""
    if texte.strip().isdigit():
        return max(float(texte), 0.001)
    try:
        quand = email.utils.parsedate_to_datetime(texte)
    except ValueError:
        return None
    if quand.tzinfo is None:
        quand = quand.replace(tzinfo=UTC)
    return max((quand - datetime.now(UTC)).total_seconds(), 0.001)


def _refuser_taille(adresse: str, octets: int, taille_max: int) -> None:
    if octets > taille_max:
        raise FichierTropGros(
            "Fichier refusé : il est plus gros que prévu.",
            objet=adresse,
            attendu=f"au plus {taille_max / 1024**2:.0f} Mo (taille_max_mo du catalogue)",
            trouve=f"{octets / 1024**2:.0f} Mo",
        )


def _refuser_disque(partiel: Path, octets: int) -> None:
    libre = shutil.disk_usage(partiel.parent).free
    if octets + _RESERVE_DISQUE > libre:
        raise ErreurTelechargement(
            "Le disque du cache n'a pas assez de place.",
            objet=partiel.parent,
            attendu=f"{(octets + _RESERVE_DISQUE) / 1024**2:.0f} Mo",
            trouve=f"{libre / 1024**2:.0f} Mo libres",
            conseil="libérez de la place, ou choisissez un autre disque (--cache)",
        )


def _refuser_declassement(adresse: str, reponse: requests.Response) -> None:
    if adresse.startswith("https:") and not reponse.url.startswith("https:"):
        raise ErreurTelechargement(
            "Redirection refusée : elle quitte la connexion chiffrée.",
            objet=adresse,
            trouve=reponse.url,
        )


def _traduire(adresse: str, erreur: Exception) -> Exception:
    """Incident passager, ou faute que recommencer ne corrigera pas."""
    if isinstance(erreur, requests.exceptions.SSLError):
        return ErreurTelechargement(
            "Le certificat du serveur n'est pas reconnu.",
            objet=adresse,
            trouve=str(erreur)[:200],
            conseil="derrière un mandataire qui déchiffre, donnez son certificat dans la variable "
            "REQUESTS_CA_BUNDLE",
        )
    if isinstance(erreur, requests.exceptions.TooManyRedirects | ValueError):
        return ErreurTelechargement(
            "Adresse inutilisable.", objet=adresse, trouve=str(erreur)[:200]
        )
    if isinstance(erreur, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return _Passagere("le serveur ne répond plus (délai dépassé)", muet=True)
    if isinstance(erreur, requests.exceptions.ChunkedEncodingError):
        return _Passagere("transfert coupé par le serveur")
    if isinstance(erreur, requests.exceptions.ConnectionError):
        return _Passagere(f"connexion impossible ou rompue ({_abreger(erreur)})", muet=True)
    return _Passagere(f"transfert coupé ({_abreger(erreur)})")


def _abreger(erreur: Exception) -> str:
    texte = re.sub(r"<[^>]*>", "", str(erreur))
    return texte.rpartition(": ")[2].strip("'\")( ")[:120] or type(erreur).__name__
