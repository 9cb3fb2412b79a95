"""Profils de déplacement : temps de parcours de chaque tronçon, par mode et par sens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from donnees_geo.configuration import Parametres
from donnees_geo.conventions import ModeRue
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.reseau import (
    BITS_ALLER,
    BITS_RETOUR,
    CLASSES_VOIE,
    ESCALIER,
    VELO_POUSSE_ALLER,
    VELO_POUSSE_RETOUR,
    ReseauRues,
)

KMH_EN_M_S: Final = 1.0 / 3.6
#: Vitesse de repli d'une classe absente de ``vitesses_voiture_kmh``, km/h.
VITESSE_VOITURE_REPLI_KMH: Final = 30.0
#: Pente au-delà de laquelle la formule de Tobler n'est plus étalonnée (Tobler 1993).
PENTE_MAX: Final = 0.5


@dataclass(frozen=True)
class Profil:
    """Manière de se déplacer dans les rues.

    Attributes
    ----------
    mode
        ``marche``, ``velo`` ou ``voiture``.
    vitesse_kmh
        Vitesse à plat, km/h (sans objet en voiture).
    vitesse_pas_kmh
        Vitesse de marche : approche du réseau à vol d'oiseau et vélo poussé, km/h.
    escaliers_velo
        ``pousse`` (descendre et pousser) ou ``refuse``.
    pente
        Appliquer la pente à la marche.
    vitesses_classes_kmh
        Vitesse en voiture de chaque classe de :data:`CLASSES_VOIE`, km/h.
    facteur_congestion
        Multiplicateur des temps en voiture.
    """

    mode: ModeRue
    vitesse_kmh: float
    vitesse_pas_kmh: float
    escaliers_velo: Literal["pousse", "refuse"]
    pente: bool
    vitesses_classes_kmh: tuple[float, ...]
    facteur_congestion: float

    @property
    def approche_m_s(self) -> float:
        """Vitesse de l'approche en ligne droite, m/s : toujours celle de la marche."""
        return self.vitesse_pas_kmh * KMH_EN_M_S


def construire_profil(
    parametres: Parametres, mode: ModeRue, vitesse_kmh: float | None = None
) -> Profil:
    """Construire le profil d'un mode à partir des paramètres d'étude.

    Parameters
    ----------
    parametres
        Hypothèses de ``parametres/etude.toml``.
    mode
        Mode de rue.
    vitesse_kmh
        Remplace la vitesse du mode (marche ou vélo).

    Raises
    ------
    ErreurConfiguration
        Vitesse nulle, négative ou non finie, ou vitesse unique demandée pour la voiture.
    """
    if vitesse_kmh is not None and mode == "voiture":
        raise ErreurConfiguration(
            "La vitesse de la voiture dépend de chaque rue : elle ne peut pas être imposée.",
            objet="vitesse",
            trouve=f"{vitesse_kmh:g} km/h",
            conseil="régler facteur_congestion_voiture ou vitesses_voiture_kmh "
            "dans parametres/etude.toml",
        )
    if vitesse_kmh is not None and not (np.isfinite(vitesse_kmh) and 0 < vitesse_kmh <= 60):
        raise ErreurConfiguration(
            "La vitesse n'est pas plausible.",
            objet=f"vitesse {mode}",
            attendu="un nombre entre 0 (exclu) et 60 km/h",
            trouve=vitesse_kmh,
        )
    defaut = {
        "marche": parametres.vitesse_marche_kmh,
        "velo": parametres.vitesse_velo_kmh,
        "voiture": 0.0,
    }[mode]
    vitesse = defaut if vitesse_kmh is None else vitesse_kmh
    classes = parametres.vitesses_voiture_kmh
    return Profil(
        mode=mode,
        vitesse_kmh=vitesse,
        vitesse_pas_kmh=vitesse if mode == "marche" else parametres.vitesse_marche_kmh,
        escaliers_velo=parametres.escaliers_velo,
        pente=parametres.pente,
        vitesses_classes_kmh=tuple(
            classes.get(classe, VITESSE_VOITURE_REPLI_KMH) for classe in CLASSES_VOIE
        ),
        facteur_congestion=parametres.facteur_congestion_voiture,
    )


def calculer_temps_troncons(
    reseau: ReseauRues, profil: Profil
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Temps de parcours de chaque tronçon dans les deux sens.

    Returns
    -------
    aller_s, retour_s
        float64[m], secondes ; ``inf`` là où le mode n'a pas le droit de passer.
    """
    aller_permis, retour_permis = _sens_permis(reseau, profil)
    if profil.mode == "marche":
        base = reseau.troncon_longueur_m / (profil.vitesse_kmh * KMH_EN_M_S)
        if profil.pente and reseau.geometrie_altitude_m is not None:
            facteur_aller, facteur_retour = calculer_facteurs_pente(reseau)
            aller, retour = base * facteur_aller, base * facteur_retour
        else:
            aller, retour = base, base.copy()
    elif profil.mode == "velo":
        aller, retour = _temps_velo(reseau, profil)
    else:
        aller = _temps_voiture(reseau, profil)
        retour = aller.copy()
    return (
        np.where(aller_permis, aller, np.inf),
        np.where(retour_permis, retour, np.inf),
    )


def _sens_permis(reseau: ReseauRues, profil: Profil) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    acces = reseau.troncon_acces
    aller = (acces & BITS_ALLER[profil.mode]) != 0
    retour = (acces & BITS_RETOUR[profil.mode]) != 0
    if profil.mode == "velo":
        aller = aller | ((acces & VELO_POUSSE_ALLER) != 0)
        retour = retour | ((acces & VELO_POUSSE_RETOUR) != 0)
        if profil.escaliers_velo == "refuse":
            plat = (acces & ESCALIER) == 0
            aller, retour = aller & plat, retour & plat
    return aller, retour


def _temps_velo(
    reseau: ReseauRues, profil: Profil
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    roule = reseau.troncon_longueur_m / (profil.vitesse_kmh * KMH_EN_M_S)
    pousse = reseau.troncon_longueur_m / (profil.vitesse_pas_kmh * KMH_EN_M_S)
    acces = reseau.troncon_acces
    # Pousser n'a de sens que là où il est interdit de rouler.
    return (
        np.where((acces & BITS_ALLER["velo"]) != 0, roule, pousse),
        np.where((acces & BITS_RETOUR["velo"]) != 0, roule, pousse),
    )


def _temps_voiture(reseau: ReseauRues, profil: Profil) -> NDArray[np.float64]:
    classes = np.asarray(profil.vitesses_classes_kmh, dtype=np.float64)
    vitesse = reseau.troncon_vitesse_kmh.astype(np.float64)
    vitesse = np.where(np.isnan(vitesse), classes[reseau.troncon_classe], vitesse)
    temps: NDArray[np.float64] = (
        reseau.troncon_longueur_m / (vitesse * KMH_EN_M_S) * profil.facteur_congestion
    )
    return temps


def calculer_facteurs_pente(
    reseau: ReseauRues,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rallongement du temps de marche dû à la pente, par tronçon et par sens.

    Formule de Tobler (1993) rapportée au plat : ``exp(3,5·(|p + 0,05| − 0,05))``, moyenne pondérée
    par la longueur des segments de la géométrie. Une pente douce en descente accélère (facteur
    inférieur à 1). Là où l'altitude manque, le facteur vaut 1.

    Returns
    -------
    aller, retour
        float64[m], sans unité.
    """
    if reseau.geometrie_altitude_m is None:
        un = np.ones(reseau.nombre_troncons)
        return un, un.copy()
    longueur = np.hypot(np.diff(reseau.geometrie_x), np.diff(reseau.geometrie_y))
    denivele = np.diff(reseau.geometrie_altitude_m.astype(np.float64))
    # Le segment entre le dernier sommet d'un tronçon et le premier du suivant n'existe pas.
    longueur[reseau.geometrie_debut[1:-1] - 1] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        pente = np.where(longueur > 0, denivele / longueur, 0.0)
    pente = np.clip(np.nan_to_num(pente, nan=0.0), -PENTE_MAX, PENTE_MAX)
    inconnue = np.isnan(denivele)
    total = _sommes_par_troncon(reseau, longueur)

    def facteur(p: NDArray[np.float64]) -> NDArray[np.float64]:
        f = np.where(inconnue, 1.0, np.exp(3.5 * (np.abs(p + 0.05) - 0.05)))
        somme = _sommes_par_troncon(reseau, longueur * f)
        with np.errstate(divide="ignore", invalid="ignore"):
            moyenne: NDArray[np.float64] = np.where(total > 0, somme / total, 1.0)
        return moyenne

    return facteur(pente), facteur(-pente)


def _sommes_par_troncon(
    reseau: ReseauRues, valeurs_segments: NDArray[np.float64]
) -> NDArray[np.float64]:
    cumul = np.concatenate([[0.0], np.cumsum(valeurs_segments)])
    debut = reseau.geometrie_debut
    sommes: NDArray[np.float64] = cumul[debut[1:] - 1] - cumul[debut[:-1]]
    return sommes
