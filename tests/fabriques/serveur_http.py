"""Serveur HTTP sur la boucle locale, fidèle aux règles ou fautif à la demande."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

DATE = "Mon, 02 Mar 2026 08:00:00 GMT"


@dataclass(frozen=True)
class Requete:
    """Ce que le serveur a reçu."""

    methode: str
    chemin: str
    entetes: dict[str, str]
    parametres: dict[str, str]


Comportement = Callable[["_Reponse", bytes], None]
Source = bytes | Callable[[Requete], bytes | None]


@dataclass
class Serveur:
    """Contenus servis, fautes demandées, requêtes reçues.

    Attributes
    ----------
    contenus
        Chemin → octets, ou fonction de la requête.
    fautes
        Chemin → comportements des prochaines requêtes GET, consommés dans l'ordre.
    etiquettes
        Faux : ni ETag ni Last-Modified.
    """

    base: str = ""
    contenus: dict[str, Source] = field(default_factory=dict)
    fautes: dict[str, list[Comportement]] = field(default_factory=dict)
    redirections: dict[str, str] = field(default_factory=dict)
    etiquettes: bool = True
    plages: bool = True
    requetes: list[Requete] = field(default_factory=list)

    def chemins(self, methode: str = "GET") -> list[str]:
        return [r.chemin for r in self.requetes if r.methode == methode]

    def octets(self, requete: Requete) -> bytes | None:
        source = self.contenus.get(requete.chemin)
        return source(requete) if callable(source) else source


class _Reponse(BaseHTTPRequestHandler):
    serveur: Serveur
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Rien : les requêtes sont gardées."""

    def do_HEAD(self) -> None:
        self._repondre(corps=False)

    def do_GET(self) -> None:
        self._repondre(corps=True)

    def _repondre(self, *, corps: bool) -> None:
        parties = urlsplit(self.path)
        parametres = {k.upper(): v[0] for k, v in parse_qs(parties.query).items()}
        requete = Requete(self.command, parties.path, dict(self.headers), parametres)
        serveur = self.serveur
        serveur.requetes.append(requete)
        if requete.chemin in serveur.redirections:
            self.entetes(302, {"Location": serveur.redirections[requete.chemin]}, 0)
            return
        contenu = serveur.octets(requete)
        if contenu is None:
            self.entetes(404, {}, 0)
            return
        fautes = serveur.fautes.get(requete.chemin) if corps else None
        if fautes:
            fautes.pop(0)(self, contenu)
            return
        self.servir(contenu, corps=corps)

    def servir(self, contenu: bytes, *, corps: bool = True) -> None:
        """Réponse conforme : ETag, 304, Range et If-Range."""
        etag = f'"{hashlib.sha256(contenu).hexdigest()[:16]}"'
        communs = {}
        if self.serveur.etiquettes:
            communs = {"ETag": etag, "Last-Modified": DATE, "Accept-Ranges": "bytes"}
            if self.headers.get("If-None-Match") == etag:
                self.entetes(304, communs, None)
                return
        plage = self.headers.get("Range", "")
        if plage and self.serveur.plages and self.headers.get("If-Range") in (etag, DATE):
            debut = int(plage.removeprefix("bytes=").rstrip("-"))
            if debut >= len(contenu):
                self.entetes(416, {"Content-Range": f"bytes */{len(contenu)}"}, 0)
                return
            fin = f"bytes {debut}-{len(contenu) - 1}/{len(contenu)}"
            self.entetes(206, communs | {"Content-Range": fin}, len(contenu) - debut)
            self.wfile.write(contenu[debut:])
            return
        self.entetes(200, communs, len(contenu))
        if corps:
            self.wfile.write(contenu)

    def entetes(self, code: int, entetes: dict[str, str], longueur: int | None) -> None:
        self.send_response(code)
        for nom, valeur in entetes.items():
            self.send_header(nom, valeur)
        if longueur is not None:
            self.send_header("Content-Length", str(longueur))
        self.end_headers()

    def rompre(self) -> None:
        """Fermer la connexion sans prévenir."""
        self.close_connection = True
        self.wfile.flush()


def refuser(code: int, **entetes: str) -> Comportement:
    """Répondre un code d'erreur (``Retry_After`` → ``Retry-After``)."""

    def agir(reponse: _Reponse, contenu: bytes) -> None:
        reponse.entetes(code, {k.replace("_", "-"): v for k, v in entetes.items()}, 0)

    return agir


def couper(octets: int) -> Comportement:
    """Annoncer tout le fichier, n'en envoyer que le début, et raccrocher."""

    def agir(reponse: _Reponse, contenu: bytes) -> None:
        debut = 0
        plage = reponse.headers.get("Range", "")
        etag = f'"{hashlib.sha256(contenu).hexdigest()[:16]}"'
        if plage:
            debut = int(plage.removeprefix("bytes=").rstrip("-"))
        entetes = {"ETag": etag} if reponse.serveur.etiquettes else {}
        if debut:
            entetes["Content-Range"] = f"bytes {debut}-{len(contenu) - 1}/{len(contenu)}"
        reponse.entetes(206 if debut else 200, entetes, len(contenu) - debut)
        reponse.wfile.write(contenu[debut : debut + octets])
        reponse.rompre()

    return agir


def mentir_sur_la_longueur(ecart: int) -> Comportement:
    """Annoncer une longueur fausse de ``ecart`` octets."""

    def agir(reponse: _Reponse, contenu: bytes) -> None:
        reponse.entetes(200, {}, len(contenu) + ecart)
        reponse.wfile.write(contenu)
        reponse.rompre()

    return agir


def sans_longueur(octets: int | None = None) -> Comportement:
    """Ne pas annoncer de longueur ; n'envoyer que ``octets`` octets."""

    def agir(reponse: _Reponse, contenu: bytes) -> None:
        reponse.entetes(200, {"Connection": "close"}, None)
        reponse.wfile.write(contenu[:octets])
        reponse.rompre()

    return agir


def trainer(secondes: float) -> Comportement:
    """Se taire avant de répondre."""

    def agir(reponse: _Reponse, contenu: bytes) -> None:
        time.sleep(secondes)
        reponse.close_connection = True

    return agir


def calculer(secondes: float) -> Comportement:
    """Se taire le temps d'un calcul, puis répondre."""

    def agir(reponse: _Reponse, contenu: bytes) -> None:
        time.sleep(secondes)
        reponse.servir(contenu)

    return agir


def rendre(autre: bytes, type_contenu: str = "text/html", code: int = 200) -> Comportement:
    """Rendre autre chose que le fichier, avec le code 200."""

    def agir(reponse: _Reponse, contenu: bytes) -> None:
        reponse.entetes(code, {"Content-Type": type_contenu}, len(autre))
        reponse.wfile.write(autre)

    return agir


@contextmanager
def servir() -> Iterator[Serveur]:
    """Démarrer un serveur sur un port libre de la boucle locale."""
    serveur = Serveur()
    reponse = type("Reponse", (_Reponse,), {"serveur": serveur})
    http = ThreadingHTTPServer(("127.0.0.1", 0), reponse)
    http.daemon_threads = True
    serveur.base = f"http://127.0.0.1:{http.server_address[1]}"
    fil = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    fil.start()
    try:
        yield serveur
    finally:
        http.shutdown()
        http.server_close()
        fil.join()
