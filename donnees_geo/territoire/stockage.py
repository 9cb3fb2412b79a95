"""Dossier d'un territoire préparé : écriture atomique, relecture, empreinte des sources.

``territoire.json`` désigne le dossier ``donnees-<empreinte>`` en vigueur. Les données neuves sont
écrites à part, puis ``territoire.json`` est remplacé d'un seul coup : une préparation tuée à tout
instant laisse l'ancien territoire en l'état.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely
from pyproj import CRS

from donnees_geo.configuration import Manifeste, Service, lister_fichiers
from donnees_geo.erreurs import Constat, ErreurDonnees, ErreurEcriture, Gravite, dire_raison
from donnees_geo.gtfs import ecrire_offre, lire_offre_preparee
from donnees_geo.reseau import charger_reseau, enregistrer_reseau
from donnees_geo.schemas import SCHEMAS
from donnees_geo.territoire.modele import SourceLue, Territoire
from donnees_geo.thematiques.commerces_categories import lire_categories
from donnees_geo.verrou import FICHIER_VERROU

if TYPE_CHECKING:  # relire un territoire ne demande pas les lecteurs de sources
    from donnees_geo.territoire.sources import SourcesLues

#: À augmenter quand le contenu du dossier change : un ancien territoire est alors préparé à neuf.
VERSION: Final = 1
FICHIER_INDEX: Final = "territoire.json"
_PREFIXE: Final = "donnees-"
_PREFIXE_PROVISOIRE: Final = ".donnees-"
_REPRENDRE: Final = "préparez de nouveau le territoire (demi-heure preparer)"


def empreinter_sources(manifeste: Manifeste) -> tuple[SourceLue, ...]:
    """Empreinte SHA-256 de chaque fichier du manifeste (d'un dossier : de ses fichiers, rangés)."""
    sources = []
    for cle, chemin in lister_fichiers(manifeste):
        if chemin.is_dir():
            condense, taille = hashlib.sha256(), 0
            for fichier in sorted(p for p in chemin.rglob("*") if p.is_file()):
                condense.update(fichier.relative_to(chemin).as_posix().encode())
                condense.update(bytes.fromhex(_empreinter(fichier)))
                taille += fichier.stat().st_size
            empreinte = condense.hexdigest()
        else:
            empreinte, taille = _empreinter(chemin), chemin.stat().st_size
        sources.append(SourceLue(cle, chemin.name, empreinte, taille))
    return tuple(sources)


def _empreinter(fichier: Path) -> str:
    with fichier.open("rb") as flux:
        return hashlib.file_digest(flux, "sha256").hexdigest()


def calculer_empreinte(
    manifeste: Manifeste,
    sources: Sequence[SourceLue],
    services: Sequence[Service],
    marge_m: float,
) -> str:
    """Empreinte de tout ce dont dépend la préparation : demande, sources, catalogue, marge.

    Les vitesses et les seuils n'y sont pas : ils ne servent qu'au calcul.
    """
    demande = {
        champ.name: repr(getattr(manifeste, champ.name))
        for champ in dataclasses.fields(manifeste)
        if champ.name in ("nom", "crs", "fictif", "population_colonne", "population_methode")
        or champ.name in ("services_osm", "date_service")
    }
    demande["emprises"] = repr([(e.communes, e.rectangle) for e in manifeste.emprises])
    demande["millesimes"] = repr(sorted(manifeste.millesimes.items()))
    contenu = {
        "version": VERSION,
        "demande": demande,
        "sources": [(s.cle, s.fichier, s.empreinte) for s in sources],
        "services": [dataclasses.asdict(s) for s in services],
        "commerces": [dataclasses.asdict(c) for c in lire_categories()],
        "marge_m": marge_m,
    }
    texte = json.dumps(contenu, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(texte.encode()).hexdigest()


def lire_index(dossier: Path) -> dict[str, Any]:
    """Lire ``territoire.json`` et contrôler sa version.

    Raises
    ------
    ErreurDonnees
        Le dossier n'est pas un territoire préparé, ou l'est par une autre version.
    """
    chemin = dossier / FICHIER_INDEX
    if not chemin.is_file():
        raise ErreurDonnees(
            "Ce dossier n'est pas un territoire préparé.",
            objet=dossier,
            attendu=f"un dossier qui contient {FICHIER_INDEX}",
            trouve="dossier absent" if not dossier.exists() else f"pas de {FICHIER_INDEX}",
            conseil="donnez le dossier --sortie de « demi-heure preparer »",
        )
    try:
        index = json.loads(chemin.read_text(encoding="utf-8"))
        version = index["version"]
    except (ValueError, KeyError, TypeError) as erreur:
        raise ErreurDonnees(
            "Index de territoire illisible.", objet=chemin, trouve=str(erreur), conseil=_REPRENDRE
        ) from erreur
    if version != VERSION:
        raise ErreurDonnees(
            "Territoire préparé par une autre version du programme.",
            objet=chemin,
            attendu=f"version {VERSION}",
            trouve=f"version {version}",
            conseil=_REPRENDRE,
        )
    return dict(index)


def est_a_jour(dossier: Path, empreinte: str) -> bool:
    """Vrai si le dossier contient déjà, au complet, le territoire de cette empreinte."""
    try:
        index = lire_index(dossier)
    except ErreurDonnees:
        return False
    donnees = dossier / str(index.get("donnees"))
    return index.get("empreinte") == empreinte and all(
        (donnees / nom).is_file() and (donnees / nom).stat().st_size == taille
        for nom, taille in index.get("fichiers", {}).items()
    )


def verifier_sortie(dossier: Path) -> None:
    """Refuser d'écrire dans un dossier occupé par autre chose qu'un territoire.

    Raises
    ------
    ErreurDonnees
        Chemin qui est un fichier, ou dossier non vide sans ``territoire.json``.
    """
    if dossier.exists() and not dossier.is_dir():
        raise ErreurDonnees("La sortie est un fichier, pas un dossier.", objet=dossier)
    if not dossier.is_dir() or (dossier / FICHIER_INDEX).is_file():
        return
    # Une première préparation tuée n'a laissé que ses dossiers de données.
    siens = (_PREFIXE, _PREFIXE_PROVISOIRE, FICHIER_VERROU)
    etrangers = [p.name for p in dossier.iterdir() if not p.name.startswith(siens)]
    if etrangers:
        raise ErreurDonnees(
            "Le dossier de sortie contient autre chose qu'un territoire préparé.",
            objet=dossier,
            trouve=", ".join(sorted(etrangers)[:5]),
            conseil="choisissez un dossier vide ou nouveau",
        )


def ecrire_territoire(
    lues: SourcesLues,
    manifeste: Manifeste,
    sources: Sequence[SourceLue],
    empreinte: str,
    dossier: Path,
) -> dict[str, Any]:
    """Écrire un territoire et le mettre en vigueur d'un seul coup.

    Returns
    -------
    dict
        Contenu de ``territoire.json``.

    Raises
    ------
    ErreurEcriture
        Disque plein, dossier protégé ; l'ancien territoire reste en vigueur.
    """
    provisoire: Path | None = None
    try:
        dossier.mkdir(parents=True, exist_ok=True)
        provisoire = Path(tempfile.mkdtemp(prefix=_PREFIXE_PROVISOIRE, dir=dossier))
        _ecrire_donnees(lues, provisoire)
        index = _composer_index(lues, manifeste, sources, empreinte, provisoire)
        _mettre_en_vigueur(provisoire, index, dossier)
    except OSError as erreur:
        raise ErreurEcriture(
            "Le territoire n'a pas pu être écrit.",
            objet=dossier,
            trouve=dire_raison(erreur),
            conseil="vérifiez l'espace disque et les droits ; l'ancien territoire est intact",
        ) from erreur
    finally:
        if provisoire is not None:
            shutil.rmtree(provisoire, ignore_errors=True)
    _balayer(dossier, str(index["donnees"]))
    return index


def charger_territoire(dossier: Path | str) -> Territoire:
    """Charger un territoire préparé.

    Raises
    ------
    ErreurDonnees
        Le dossier n'est pas un territoire préparé, l'est par une autre version, ou est incomplet.
    """
    dossier = Path(dossier)
    index = lire_index(dossier)
    donnees = dossier / str(index.get("donnees"))
    try:
        crs = CRS.from_user_input(index["crs"])
        tables = {nom: _lire_table(donnees / f"{nom}.parquet", crs) for nom in SCHEMAS}
        contour = shapely.from_wkb((donnees / "contour.wkb").read_bytes())
        services = json.loads((donnees / "services.json").read_text(encoding="utf-8"))
        fond = {p.stem: _lire_geo(p, crs) for p in sorted((donnees / "fond").glob("*.parquet"))}
    except (OSError, ValueError, pa.ArrowException, shapely.errors.ShapelyError) as erreur:
        raise ErreurDonnees(
            "Territoire préparé incomplet ou abîmé.",
            objet=donnees,
            trouve=str(erreur).splitlines()[0],
            conseil=_REPRENDRE,
        ) from erreur
    offre = donnees / "offre"
    return Territoire(
        nom=index["nom"],
        crs=index["crs"],
        fictif=index["fictif"],
        dossier=dossier,
        communes=tables["communes"],
        carreaux=tables["carreaux"],
        equipements=tables["equipements"],
        points_acces=tables["points_acces"],
        reseau=charger_reseau(donnees / "reseau.npz"),
        contour=contour,
        services=tuple(_service(s) for s in services),
        offre=lire_offre_preparee(offre) if offre.is_dir() else None,
        date_service=date.fromisoformat(jour) if (jour := index.get("date_service")) else None,
        fond=fond,
        couches={p.stem: p for p in sorted((donnees / "couches").glob("*.parquet"))},
        constats=tuple(
            Constat(Gravite(c["gravite"]), c["objet"], c["message"]) for c in index["constats"]
        ),
        sources=tuple(SourceLue(**s) for s in index["sources"]),
        empreinte=index["empreinte"],
        durees_s=index["durees_s"],
    )


def _ecrire_donnees(lues: SourcesLues, dossier: Path) -> None:
    for nom in SCHEMAS:
        getattr(lues, nom).to_parquet(dossier / f"{nom}.parquet", index=False)
    if lues.reseau is None or lues.contour is None:
        raise AssertionError("territoire incomplet : la lecture aurait dû lever")
    enregistrer_reseau(lues.reseau, dossier / "reseau.npz")
    (dossier / "contour.wkb").write_bytes(shapely.to_wkb(lues.contour))
    services = [dataclasses.asdict(s) for s in lues.services]
    texte = json.dumps(services, ensure_ascii=False, indent=1)
    (dossier / "services.json").write_text(texte, encoding="utf-8")
    for sous_dossier, couches in (("fond", lues.fond), ("couches", lues.couches)):
        (dossier / sous_dossier).mkdir()
        for nom, couche in couches.items():
            couche.to_parquet(dossier / sous_dossier / f"{nom}.parquet", index=False)
    if lues.offre is not None:
        ecrire_offre(lues.offre, dossier / "offre")


def _composer_index(
    lues: SourcesLues,
    manifeste: Manifeste,
    sources: Sequence[SourceLue],
    empreinte: str,
    donnees: Path,
) -> dict[str, Any]:
    return {
        "version": VERSION,
        "nom": manifeste.nom,
        "crs": manifeste.crs,
        "fictif": manifeste.fictif,
        "date_service": manifeste.date_service.isoformat() if manifeste.date_service else None,
        "empreinte": empreinte,
        "donnees": f"{_PREFIXE}{empreinte[:12]}",
        "sources": [dataclasses.asdict(s) for s in sources],
        "constats": [dataclasses.asdict(c) for c in lues.constats],
        "durees_s": {etape: round(duree, 3) for etape, duree in lues.durees_s.items()},
        "fichiers": {
            p.relative_to(donnees).as_posix(): p.stat().st_size
            for p in sorted(donnees.rglob("*"))
            if p.is_file()
        },
    }


def _mettre_en_vigueur(provisoire: Path, index: dict[str, Any], dossier: Path) -> None:
    cible = dossier / str(index["donnees"])
    if cible.exists():
        # Ce dossier n'est plus en vigueur, ou est abîmé : est_a_jour l'aurait gardé sinon.
        shutil.rmtree(cible)
    provisoire.chmod(0o755)  # mkdtemp le réserve à son auteur
    provisoire.replace(cible)
    texte = json.dumps(index, ensure_ascii=False, indent=1) + "\n"
    neuf = dossier / f".{FICHIER_INDEX}-{os.getpid()}"
    try:
        with neuf.open("w", encoding="utf-8") as flux:
            flux.write(texte)
            flux.flush()
            os.fsync(flux.fileno())
        neuf.replace(dossier / FICHIER_INDEX)
    finally:
        neuf.unlink(missing_ok=True)


def _balayer(dossier: Path, en_vigueur: str) -> None:
    """Retirer les données remplacées et les restes d'une préparation tuée.

    Le verrou du dossier assure qu'aucune autre préparation n'est en train d'y écrire.
    """
    for chemin in dossier.iterdir():
        remplace = chemin.name.startswith(_PREFIXE) and chemin.name != en_vigueur
        abandonne = chemin.name.startswith(_PREFIXE_PROVISOIRE)
        if chemin.is_dir() and (remplace or abandonne):
            shutil.rmtree(chemin, ignore_errors=True)


def _lire_table(chemin: Path, crs: CRS) -> Any:
    schema = SCHEMAS[chemin.stem]
    table = _lire_geo(chemin, crs) if schema.geometrie else pd.read_parquet(chemin)
    manquantes = [c for c in schema.colonnes if c not in table]
    if manquantes:
        raise ValueError(f"{chemin.name} sans {', '.join(manquantes)}")
    return table


def _lire_geo(chemin: Path, crs: CRS) -> gpd.GeoDataFrame:
    """Lire un GeoParquet du dossier, dont le CRS est connu.

    ``geopandas.read_parquet`` interprète le CRS de chaque fichier, ce qui prend dix fois le temps
    de la lecture.
    """
    table = pd.read_parquet(chemin)
    geometries = shapely.from_wkb(table.pop("geometry").to_numpy(dtype=object))
    return gpd.GeoDataFrame(table, geometry=geometries, crs=crs)


def _service(valeurs: dict[str, Any]) -> Service:
    regles = {
        nom: tuple({tag: tuple(v) for tag, v in regle.items()} for regle in valeurs[nom])
        for nom in ("tags_osm", "tags_osm_exclus")
    }
    listes = {nom: tuple(valeurs.get(nom, ())) for nom in ("codes_bpe", "satisfait_aussi_par")}
    return Service(**{**valeurs, **regles, **listes})
