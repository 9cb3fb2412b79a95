"""Hypothèses des croisements (``parametres/croisements.toml``) : seuils, poids et notes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.lecture.fichiers_toml import TableToml, est_nombre, lever_fautes, lire_toml

FICHIER: Final = Path(__file__).resolve().parents[2] / "parametres" / "croisements.toml"
#: Critères du classement des friches, dans l'ordre d'affichage.
CRITERES: Final = (
    "population",
    "manques",
    "surface",
    "hors_zone_inondable",
    "urbanisme",
    "pollution",
)
LIBELLES_CRITERES: Final = {
    "population": "habitants à proximité",
    "manques": "habitants sans service qu'un équipement y desservirait",
    "surface": "surface du site",
    "hors_zone_inondable": "part hors des zones d'interdiction",
    "urbanisme": "zonage du document d'urbanisme",
    "pollution": "état du sol",
}


@dataclass(frozen=True)
class ParametresCroisements:
    """Hypothèses des croisements.

    Attributes
    ----------
    seuil_proximite_s
        Temps à pied ou à vélo qui définit le voisinage d'une friche, s.
    seuil_chalandise_s
        Temps à pied qui définit la zone de chalandise, s.
    surface_pleine_ha
        Surface à partir de laquelle le critère de surface est plein, ha.
    scenario_hauteur
        Scénario TRI dont les hauteurs d'eau sont croisées.
    niveaux_interdits
        Niveaux du règlement PPR où bâtir est interdit.
    services_en_local
        Services qu'un local commercial peut accueillir.
    poids
        Poids de chaque critère de :data:`CRITERES`, 0 ou plus.
    notes_urbanisme, notes_pollution
        Note de 0 à 1 de chaque zone et de chaque état du sol ; absent : critère inconnu.
    """

    seuil_proximite_s: float
    seuil_chalandise_s: float
    surface_pleine_ha: float
    scenario_hauteur: str
    niveaux_interdits: tuple[str, ...]
    services_en_local: tuple[str, ...]
    poids: dict[str, float]
    notes_urbanisme: dict[str, float]
    notes_pollution: dict[str, float]


def lire_parametres_croisements(chemin: Path | str | None = None) -> ParametresCroisements:
    """Lire les hypothèses des croisements.

    Raises
    ------
    ErreurConfiguration
        Clé inconnue ou absente, poids négatif, note hors de 0 à 1, somme des poids nulle : toutes
        les fautes ensemble.
    """
    fichier = Path(chemin) if chemin is not None else FICHIER
    fautes: list[str] = []
    racine = TableToml(lire_toml(fichier), "", fautes)
    seuils = racine.table("seuils")
    inondation = racine.table("inondation")
    commerces = racine.table("commerces")
    poids = _lire_nombres(racine.table("poids_friches"), maximum=None)
    for critere in CRITERES:
        if critere not in poids:
            fautes.append(f"[poids_friches] {critere} : poids absent")
    inconnus = sorted(set(poids) - set(CRITERES))
    if inconnus:
        fautes.append(f"[poids_friches] critère(s) inconnu(s) : {', '.join(inconnus)}")
    if poids and sum(poids.values()) <= 0:
        fautes.append("[poids_friches] la somme des poids est nulle")
    resultat = ParametresCroisements(
        seuil_proximite_s=seuils.nombre("proximite_s", obligatoire=True) or 0.0,
        seuil_chalandise_s=seuils.nombre("chalandise_s", obligatoire=True) or 0.0,
        surface_pleine_ha=seuils.nombre("surface_pleine_ha", obligatoire=True) or 0.0,
        scenario_hauteur=inondation.texte("scenario_hauteur", obligatoire=True) or "",
        niveaux_interdits=inondation.textes("niveaux_interdits"),
        services_en_local=commerces.textes("services_en_local"),
        poids=poids,
        notes_urbanisme=_lire_nombres(racine.table("notes_urbanisme"), maximum=1.0),
        notes_pollution=_lire_nombres(racine.table("notes_pollution"), maximum=1.0),
    )
    for table in (seuils, inondation, commerces, racine):
        table.terminer()
    lever_fautes(fautes, fichier, "Paramètres des croisements")
    return resultat


def verifier_poids(poids: dict[str, float]) -> None:
    """Vérifier des poids choisis à l'écran.

    Raises
    ------
    ErreurConfiguration
        Critère inconnu, poids négatif, ou tous nuls.
    """
    fautifs = [c for c, p in poids.items() if c not in CRITERES or not p >= 0]
    if fautifs or not sum(poids.values()) > 0:
        raise ErreurConfiguration(
            "Les poids du classement ne sont pas admissibles.",
            objet=", ".join(fautifs) or "poids",
            attendu="un poids positif ou nul par critère, l'un au moins positif",
            trouve=", ".join(f"{c} = {p:g}" for c, p in poids.items()),
        )


def _lire_nombres(table: TableToml, *, maximum: float | None) -> dict[str, float]:
    valeurs: dict[str, float] = {}
    for cle in list(table.valeurs):
        brut = table.brut(cle)
        admis = est_nombre(brut) and brut >= 0 and (maximum is None or brut <= maximum)
        if admis:
            valeurs[cle] = float(brut)
        else:
            borne = "positif ou nul" if maximum is None else f"entre 0 et {maximum:g}"
            table.faute(f"un nombre {borne} est attendu, trouvé {brut!r}", cle)
    return valeurs
