"""Lecture du manifeste d'un territoire (TOML)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Protocol, cast

from pyproj import CRS
from pyproj.exceptions import CRSError

from donnees_geo.configuration.modeles import (
    Emprise,
    FichierService,
    Manifeste,
    MethodePopulation,
)
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.lecture.fichiers_toml import TableToml, est_nombre, lever_fautes, lire_toml

_METHODES_POPULATION = ("carreaux", "couche", "batiments")


class _Fichier(Protocol):
    """Lit une clé de chemin, relative au dossier du manifeste."""

    def __call__(self, table: TableToml, cle: str, *, obligatoire: bool = False) -> Path | None: ...


def verifier_crs_metrique(crs: str) -> CRS:
    """Vérifier qu'un CRS existe, est projeté et mesure en mètres.

    Returns
    -------
    pyproj.CRS

    Raises
    ------
    ErreurConfiguration
        CRS inconnu, géographique ou dont l'unité n'est pas le mètre.
    """
    conseil = "donnez un CRS projeté en mètres, par exemple EPSG:2154 (France) ou un UTM"
    try:
        objet = CRS.from_user_input(crs)
    except CRSError as erreur:
        raise ErreurConfiguration(
            "CRS inconnu.", objet=f"crs = {crs!r}", attendu="un code EPSG", conseil=conseil
        ) from erreur
    if not objet.is_projected:
        raise ErreurConfiguration(
            "Le CRS du territoire n'est pas métrique.",
            objet=f"crs = {crs!r}",
            attendu="un CRS projeté, en mètres",
            trouve=f"{objet.name}, en degrés" if objet.is_geographic else objet.name,
            conseil=conseil,
        )
    unites = {axe.unit_name for axe in objet.axis_info}
    if not unites <= {"metre", "meter"}:
        raise ErreurConfiguration(
            "Le CRS du territoire n'est pas en mètres.",
            objet=f"crs = {crs!r}",
            attendu="des mètres",
            trouve=", ".join(sorted(unites)),
            conseil=conseil,
        )
    return objet


def lire_manifeste(chemin: Path | str, *, exiger_fichiers: bool = True) -> Manifeste:
    """Lire et contrôler le manifeste d'un territoire.

    Parameters
    ----------
    chemin
        Fichier TOML ; les chemins qu'il contient sont relatifs à son dossier.
    exiger_fichiers
        Lever si un fichier cité manque. ``verifier_territoire`` préfère le relever avec le reste.

    Raises
    ------
    ErreurConfiguration
        Fichier absent, TOML fautif, clé inconnue (nommée, avec la plus proche), valeur
        d'un mauvais type, CRS absent, inconnu ou non métrique, fichiers cités absents : toutes les
        fautes sont énumérées ensemble.
    """
    chemin = Path(chemin).resolve()
    fautes: list[str] = []
    racine = TableToml(lire_toml(chemin), "", fautes)
    dossier = chemin.parent

    def fichier(table: TableToml, cle: str, *, obligatoire: bool = False) -> Path | None:
        texte = table.texte(cle, obligatoire=obligatoire)
        return None if texte is None else dossier / texte

    nom = racine.texte("nom", obligatoire=True)
    crs = racine.texte("crs", obligatoire=True)
    if crs is not None:
        try:
            verifier_crs_metrique(crs)
        except ErreurConfiguration as erreur:
            fautes.append(str(erreur).replace("\n", " ;"))
    fictif = racine.booleen("fictif", False)

    reseau = racine.table("reseau")
    decoupage = racine.table("decoupage")
    services = racine.table("services")
    transport = racine.table("transport")
    couches = racine.table("couches")
    relief = racine.table("relief")
    millesimes = racine.table("millesimes")
    population, colonne, methode = _lire_population(racine.table("population"), fichier)
    manifeste = Manifeste(
        chemin=chemin,
        nom=nom or "",
        crs=crs or "",
        fictif=fictif,
        osm=fichier(reseau, "osm"),
        communes=fichier(decoupage, "communes"),
        bassins_de_vie=fichier(decoupage, "bassins_de_vie"),
        secteurs=fichier(decoupage, "secteurs"),
        population=population,
        population_colonne=colonne,
        population_methode=methode,
        bpe=fichier(services, "bpe"),
        services_osm=services.booleen("osm", False),
        services_fichiers=_lire_fichiers_services(services, fichier),
        catalogue=fichier(services, "catalogue"),
        gtfs=tuple(dossier / f for f in transport.textes("gtfs")),
        date_service=_lire_date(transport, "date_service"),
        couches={
            cle: dossier / texte
            for cle in couches.valeurs
            if (texte := couches.texte(cle)) is not None
        },
        mnt=fichier(relief, "mnt"),
        emprises=tuple(_lire_emprise(t, fichier) for t in racine.tables("emprise")),
        millesimes={
            cle: texte for cle in millesimes.valeurs if (texte := millesimes.texte(cle)) is not None
        },
    )
    for table in (reseau, decoupage, services, transport, relief, racine):
        table.terminer()
    _verifier_coherence(manifeste, fautes)
    if exiger_fichiers:
        fautes.extend(
            f"fichier introuvable : {f} ({cle})"
            for cle, f in lister_fichiers(manifeste)
            if not f.exists()
        )
    lever_fautes(fautes, chemin, "Manifeste")
    return manifeste


def lister_fichiers(manifeste: Manifeste) -> list[tuple[str, Path]]:
    """Énumérer les fichiers cités par le manifeste : (clé du manifeste, chemin)."""
    simples = {
        "reseau.osm": manifeste.osm,
        "decoupage.communes": manifeste.communes,
        "decoupage.bassins_de_vie": manifeste.bassins_de_vie,
        "decoupage.secteurs": manifeste.secteurs,
        "population.fichier": manifeste.population,
        "services.bpe": manifeste.bpe,
        "services.catalogue": manifeste.catalogue,
        "relief.mnt": manifeste.mnt,
    }
    fichiers = [(cle, f) for cle, f in simples.items() if f is not None]
    fichiers += [
        (f"services.fichiers ({f.service})", f.fichier) for f in manifeste.services_fichiers
    ]
    fichiers += [("transport.gtfs", f) for f in manifeste.gtfs]
    fichiers += [(f"couches.{cle}", f) for cle, f in manifeste.couches.items()]
    fichiers += [
        ("emprise.fichier", e.fichier) for e in manifeste.emprises if e.fichier is not None
    ]
    return fichiers


def _lire_population(
    table: TableToml, fichier: _Fichier
) -> tuple[Path | None, str | None, MethodePopulation | None]:
    chemin = fichier(table, "fichier")
    colonne = table.texte("colonne")
    methode = table.choix("methode", _METHODES_POPULATION)
    table.terminer()
    if methode is None and chemin is not None:
        methode = "couche" if colonne is not None else "carreaux"
    if methode == "batiments" and chemin is not None:
        table.faute("la méthode « batiments » ne lit aucun fichier de population", "fichier")
    if methode in ("carreaux", "couche") and chemin is None:
        table.faute(f"la méthode « {methode} » demande un fichier", "fichier")
    if methode == "couche" and colonne is None:
        table.faute("la méthode « couche » demande le nom de la colonne de population", "colonne")
    if methode is None and colonne is not None:
        table.faute("une colonne est donnée sans fichier", "colonne")
    return chemin, colonne, cast("MethodePopulation | None", methode)


def _lire_fichiers_services(table: TableToml, fichier: _Fichier) -> tuple[FichierService, ...]:
    lus = []
    for entree in table.tables("fichiers"):
        service = entree.texte("service", obligatoire=True)
        chemin = fichier(entree, "fichier", obligatoire=True)
        entree.terminer()
        if service is not None and chemin is not None:
            lus.append(FichierService(service, chemin))
    return tuple(lus)


def _lire_emprise(table: TableToml, fichier: _Fichier) -> Emprise:
    communes = table.textes("communes")
    chemin = fichier(table, "fichier")
    valeur = table.brut("rectangle")
    table.terminer()
    rectangle: tuple[float, float, float, float] | None = None
    if valeur is not None:
        if isinstance(valeur, list) and len(valeur) == 4 and all(map(est_nombre, valeur)):
            ouest, sud, est, nord = (float(v) for v in valeur)
            if -180 <= ouest < est <= 180 and -90 <= sud < nord <= 90:
                rectangle = (ouest, sud, est, nord)
        if rectangle is None:
            table.faute("[ouest, sud, est, nord] en degrés est attendu", "rectangle")
    if not communes and chemin is None and valeur is None:
        table.faute("une emprise donne communes, fichier ou rectangle")
    return Emprise(communes, chemin, rectangle)


def _lire_date(table: TableToml, cle: str) -> date | None:
    valeur = table.brut(cle)
    if isinstance(valeur, datetime):
        valeur = valeur.date()
    if isinstance(valeur, str):
        try:
            valeur = date.fromisoformat(valeur)
        except ValueError:
            table.faute(f"une date AAAA-MM-JJ est attendue, trouvé « {valeur} »", cle)
            return None
    if valeur is not None and not isinstance(valeur, date):
        table.faute("une date AAAA-MM-JJ est attendue", cle)
        return None
    return valeur


def _verifier_coherence(manifeste: Manifeste, fautes: list[str]) -> None:
    """Retenir les demandes qui se contredisent."""
    if manifeste.services_osm and manifeste.osm is None:
        fautes.append("[services] osm = true demande [reseau] osm")
    if manifeste.population_methode == "batiments":
        if manifeste.osm is None:
            fautes.append("[population] methode = « batiments » demande [reseau] osm")
        if manifeste.communes is None:
            fautes.append("[population] methode = « batiments » demande [decoupage] communes")
    for cle in ("bassins_de_vie", "secteurs"):
        if getattr(manifeste, cle) is not None and manifeste.communes is None:
            fautes.append(f"[decoupage] {cle} demande [decoupage] communes")
    if manifeste.date_service is not None and not manifeste.gtfs:
        fautes.append("[transport] date_service demande [transport] gtfs")
    connues = dict(lister_fichiers(manifeste))
    fautes.extend(
        f"[millesimes] {cle!r} n'est pas un fichier du manifeste (attendu : {', '.join(connues)})"
        for cle in manifeste.millesimes
        if cle not in connues
    )
    if any(e.communes for e in manifeste.emprises) and manifeste.communes is None:
        fautes.append("[[emprise]] communes demande [decoupage] communes")
    sans_territoire = (manifeste.osm, manifeste.communes, manifeste.population)
    if all(f is None for f in sans_territoire):
        fautes.append(
            "rien ne situe le territoire : donnez [reseau] osm, [decoupage] communes ou "
            "[population] fichier"
        )
