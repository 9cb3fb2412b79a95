"""Ouverture des fichiers tels qu'ils sont publiés : nus, ``.gz``, ``.zip``, ``.7z`` dans un zip.

Un CSV se lit en flux depuis son archive (:func:`ouvrir_flux`) ; un GeoPackage ou un shapefile est
extrait dans un dossier temporaire (:func:`extraire_fichier`). Une archive dont un membre sortirait
du dossier d'extraction, ou qui se déploierait démesurément, est refusée.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

import py7zr
from py7zr.exceptions import ArchiveError

from donnees_geo.erreurs import ErreurDonnees

#: Taille déployée maximale d'un membre (la BD TOPO d'un département en tient moins de 8 Go).
TAILLE_MAX_OCTETS: Final = 20 * 1024**3
#: Au-delà de ce rapport, passé 100 Mo déployés, l'archive est une bombe (un CSV atteint 30).
RAPPORT_MAX: Final = 250
_SEUIL_RAPPORT_OCTETS: Final = 100 * 1024**2
_BLOC: Final = 1 << 20
_PROFONDEUR_MAX: Final = 3
_ARCHIVES: Final = (".zip", ".7z")
_ACCOMPAGNEMENT_SHP: Final = (".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True)
class _Membre:
    """Membre d'un zip, non extrait."""

    archive: Path
    info: zipfile.ZipInfo


@contextmanager
def ouvrir_flux(
    chemin: Path, suffixes: Sequence[str] = (".csv", ".txt"), preferes: Sequence[str] = ()
) -> Iterator[IO[bytes]]:
    """Ouvrir en lecture binaire un fichier texte, nu ou archivé, sans l'extraire si possible.

    Parameters
    ----------
    chemin
        Fichier, archive, ou dossier qui en contient un.
    suffixes
        Suffixes du membre cherché dans une archive ou un dossier.
    preferes
        Expressions régulières (sans casse) qui départagent plusieurs membres, dans l'ordre.

    Raises
    ------
    ErreurDonnees
        Fichier absent ou vide, archive tronquée ou refusée, membre introuvable ou ambigu.
    """
    with ExitStack() as pile, _archive_lisible(chemin):
        source = _localiser(chemin, suffixes, preferes, pile)
        yield pile.enter_context(_ouvrir(source))


@contextmanager
def extraire_fichier(
    chemin: Path, suffixes: Sequence[str], preferes: Sequence[str] = ()
) -> Iterator[Path]:
    """Rendre disponible comme fichier ordinaire un membre d'archive ou de dossier.

    Un fichier qui n'est pas une archive est rendu tel quel. Les fichiers qui accompagnent un
    shapefile sont extraits avec lui. Le dossier temporaire disparaît à la sortie.

    Raises
    ------
    ErreurDonnees
        Comme :func:`ouvrir_flux`.
    """
    with ExitStack() as pile:
        with _archive_lisible(chemin):
            source = _localiser(chemin, suffixes, preferes, pile)
            if isinstance(source, _Membre) or source.suffix.lower() == ".gz":
                source = _extraire(source, _dossier_temporaire(pile))
        yield source


@contextmanager
def extraire_plusieurs(chemin: Path, suffixes: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Rendre disponibles tous les fichiers d'une livraison : fichier, dossier ou zip.

    Parameters
    ----------
    chemin
        Fichier seul, dossier (sous-dossiers compris) ou zip (zips intérieurs compris).
    suffixes
        Suffixes voulus.

    Returns
    -------
    dict
        Nom publié (chemin dans la livraison) → fichier ; vide si rien ne convient.

    Raises
    ------
    ErreurDonnees
        Comme :func:`ouvrir_flux`, sauf l'ambiguïté.
    """
    with ExitStack() as pile, _archive_lisible(chemin):
        trouves: dict[str, Path] = {}
        _rassembler(chemin, "", suffixes, pile, trouves, _PROFONDEUR_MAX)
        yield trouves


def _rassembler(
    chemin: Path,
    prefixe: str,
    suffixes: Sequence[str],
    pile: ExitStack,
    trouves: dict[str, Path],
    profondeur: int,
) -> None:
    """Ajouter à ``trouves`` les fichiers voulus d'un chemin, archives intérieures ouvertes."""
    _verifier_present(chemin)
    if chemin.is_dir():
        for fichier in sorted(p for p in chemin.rglob("*") if p.is_file()):
            if _porte(fichier.name, suffixes):
                trouves[prefixe + fichier.relative_to(chemin).as_posix()] = fichier
        return
    if chemin.suffix.lower() != ".zip":
        trouves[prefixe + chemin.name] = chemin
        return
    if profondeur == 0:
        raise ErreurDonnees("Archives emboîtées trop profondément.", objet=chemin)
    with zipfile.ZipFile(chemin) as archive:
        infos = [i for i in archive.infolist() if not i.is_dir()]
    for info in sorted(infos, key=lambda i: i.filename):
        _refuser_evasion(info.filename, chemin)
        interieure = info.filename.lower().endswith(".zip")
        if interieure or _porte(info.filename, suffixes):
            extrait = _extraire(_Membre(chemin, info), _dossier_temporaire(pile))
            if interieure:
                interieur = f"{prefixe}{info.filename}/"
                _rassembler(extrait, interieur, suffixes, pile, trouves, profondeur - 1)
            else:
                trouves[prefixe + info.filename] = extrait


def _localiser(
    chemin: Path, suffixes: Sequence[str], preferes: Sequence[str], pile: ExitStack
) -> Path | _Membre:
    """Trouver le fichier utile : chemin ordinaire, ou membre d'un zip laissé en place."""
    courant = chemin
    for _ in range(_PROFONDEUR_MAX):
        _verifier_present(courant)
        if courant.is_dir():
            fichiers = {p.relative_to(courant).as_posix(): p for p in sorted(courant.rglob("*"))}
            courant = fichiers[_choisir(list(fichiers), suffixes, preferes, courant)]
            continue
        suffixe = courant.suffix.lower()
        if suffixe not in _ARCHIVES:
            return courant
        if suffixe == ".7z":
            courant = _extraire_7z(courant, suffixes, preferes, _dossier_temporaire(pile))
            continue
        membre = _choisir_membre(courant, suffixes, preferes)
        if PurePosixPath(membre.info.filename).suffix.lower() not in _ARCHIVES:
            return membre
        courant = _extraire(membre, _dossier_temporaire(pile))
    raise ErreurDonnees("Archives emboîtées trop profondément.", objet=chemin)


def _choisir_membre(archive: Path, suffixes: Sequence[str], preferes: Sequence[str]) -> _Membre:
    with zipfile.ZipFile(archive) as ouvert:
        membres = {i.filename: i for i in ouvert.infolist() if not i.is_dir()}
    for nom in membres:
        _refuser_evasion(nom, archive)
    return _Membre(archive, membres[_choisir(list(membres), suffixes, preferes, archive)])


def _choisir(
    noms: Sequence[str], suffixes: Sequence[str], preferes: Sequence[str], objet: Path
) -> str:
    """Choisir le seul nom qui convient ; une archive intérieure convient à défaut d'autre."""
    candidats = [n for n in noms if _porte(n, suffixes)]
    candidats = candidats or [n for n in noms if _porte(n, _ARCHIVES)]
    for motif in preferes:
        if len(candidats) > 1:
            candidats = [n for n in candidats if re.search(motif, n, re.IGNORECASE)] or candidats
    if len(candidats) == 1:
        return candidats[0]
    if not candidats:
        raise ErreurDonnees(
            "Aucun fichier utilisable dans l'archive ou le dossier.",
            objet=objet,
            attendu="un fichier " + ", ".join(suffixes),
            trouve=_enumerer(noms) or "rien",
        )
    raise ErreurDonnees(
        "Plusieurs fichiers possibles dans l'archive ou le dossier.",
        objet=objet,
        trouve=_enumerer(candidats),
        conseil="extrayez le bon fichier et citez-le dans le manifeste",
    )


def _ouvrir(source: Path | _Membre) -> IO[bytes]:
    if isinstance(source, _Membre):
        with zipfile.ZipFile(source.archive) as archive:
            # Le flux d'un membre garde son propre accès au fichier après la fermeture de l'index.
            flux: IO[bytes] = archive.open(source.info)
        if source.info.filename.lower().endswith(".gz"):
            flux = cast("IO[bytes]", gzip.GzipFile(fileobj=flux))
        return io.BufferedReader(_FluxBorne(flux, source.info.compress_size, source.archive), _BLOC)
    if source.suffix.lower() == ".gz":
        deploye = cast("IO[bytes]", gzip.GzipFile(source))
        return io.BufferedReader(_FluxBorne(deploye, source.stat().st_size, source), _BLOC)
    return source.open("rb")


class _FluxBorne(io.RawIOBase):
    """Flux binaire qui refuse de se déployer démesurément (les tailles annoncées mentent)."""

    def __init__(self, flux: IO[bytes], taille_source: int, objet: Path) -> None:
        super().__init__()
        self._flux = flux
        self._lus = 0
        self._objet = objet
        rapport = max(_SEUIL_RAPPORT_OCTETS, RAPPORT_MAX * taille_source)
        self._maximum = min(TAILLE_MAX_OCTETS, rapport)

    def readable(self) -> bool:
        """Vrai : le flux se lit."""
        return True

    def readinto(self, tampon: Any) -> int:
        """Remplir ``tampon`` et rendre le nombre d'octets lus."""
        octets = self._flux.read(len(tampon))
        tampon[: len(octets)] = octets
        self._lus += len(octets)
        if self._lus > self._maximum:
            raise ErreurDonnees(
                "Archive refusée : elle se déploie démesurément.",
                objet=self._objet,
                attendu=f"au plus {self._maximum // 1024**2} Mo",
                conseil="vérifiez la provenance du fichier",
            )
        return len(octets)

    def close(self) -> None:
        """Fermer le flux et sa source."""
        self._flux.close()
        super().close()


def _extraire(source: Path | _Membre, dossier: Path) -> Path:
    """Copier un membre (et l'accompagnement d'un shapefile) sous ``dossier``."""
    if isinstance(source, Path):
        cible = dossier / source.stem
        _copier(source, cible)
        return cible
    cible = dossier / re.sub(r"(?i)\.gz$", "", PurePosixPath(source.info.filename).name)
    _copier(source, cible)
    if cible.suffix.lower() == ".shp":
        with zipfile.ZipFile(source.archive) as archive:
            infos = archive.infolist()
        racine = source.info.filename[:-4].lower()
        for info in infos:
            nom = info.filename.lower()
            if nom[:-4] == racine and nom[-4:] in _ACCOMPAGNEMENT_SHP:
                _copier(_Membre(source.archive, info), cible.with_suffix(nom[-4:]))
    return cible


def _copier(source: Path | _Membre, cible: Path) -> None:
    with _ouvrir(source) as entree, cible.open("wb") as sortie:
        while bloc := entree.read(_BLOC):
            sortie.write(bloc)


def _extraire_7z(
    archive: Path, suffixes: Sequence[str], preferes: Sequence[str], dossier: Path
) -> Path:
    with py7zr.SevenZipFile(archive) as ouvert:
        infos = {i.filename: i for i in ouvert.list() if not i.is_directory}
        for nom in infos:
            _refuser_evasion(nom, archive)
        choisi = _choisir(list(infos), suffixes, preferes, archive)
        racine = choisi[:-4].lower()
        voulus = [n for n in infos if n == choisi or _accompagne(n, racine)]
        taille = sum(int(infos[n].uncompressed) for n in voulus)
        limite = max(_SEUIL_RAPPORT_OCTETS, RAPPORT_MAX * archive.stat().st_size)
        if taille > min(TAILLE_MAX_OCTETS, limite):
            raise ErreurDonnees(
                "Archive refusée : elle se déploie démesurément.",
                objet=archive,
                trouve=f"{taille // 1024**2} Mo annoncés",
                conseil="vérifiez la provenance du fichier",
            )
        ouvert.extract(path=dossier, targets=voulus)
    return dossier / choisi


def _accompagne(nom: str, racine: str) -> bool:
    return nom[:-4].lower() == racine and nom[-4:].lower() in _ACCOMPAGNEMENT_SHP


def _refuser_evasion(nom: str, archive: Path) -> None:
    chemin = PurePosixPath(nom.replace("\\", "/"))
    if chemin.is_absolute() or ".." in chemin.parts or re.match(r"[A-Za-z]:", nom):
        raise ErreurDonnees(
            "Archive refusée : un membre sortirait du dossier d'extraction.",
            objet=archive,
            trouve=nom,
            conseil="vérifiez la provenance du fichier",
        )


def _verifier_present(chemin: Path) -> None:
    if not chemin.exists():
        raise ErreurDonnees(
            "Fichier introuvable.", objet=chemin, conseil="vérifiez le chemin et le nom du fichier"
        )
    if chemin.is_file() and chemin.stat().st_size == 0:
        raise ErreurDonnees(
            "Fichier vide.", objet=chemin, conseil="le téléchargement a sans doute échoué"
        )


def _dossier_temporaire(pile: ExitStack) -> Path:
    return Path(pile.enter_context(tempfile.TemporaryDirectory(prefix="demi-heure-")))


def _porte(nom: str, suffixes: Sequence[str]) -> bool:
    bas = nom.lower()
    # Les archives faites sous macOS doublent chaque fichier d'un « ._nom » illisible.
    cache = PurePosixPath(bas).name.startswith("._")
    return not cache and any(bas.endswith(s) or bas.endswith(s + ".gz") for s in suffixes)


def _enumerer(noms: Sequence[str]) -> str:
    suite = f" … ({len(noms)} en tout)" if len(noms) > 8 else ""
    return ", ".join(noms[:8]) + suite


@contextmanager
def _archive_lisible(chemin: Path) -> Iterator[None]:
    """Traduire les fautes des bibliothèques d'archives."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        zlib.error,
        lzma.LZMAError,
        ArchiveError,
        EOFError,
    ) as erreur:
        raise ErreurDonnees(
            "Archive illisible ou tronquée.",
            objet=chemin,
            trouve=str(erreur) or "fin de fichier inattendue",
            conseil="téléchargez de nouveau le fichier",
        ) from erreur
