"""Formats français : nombres, parts, durées, dates ; espaces insécables, jamais de virgule fixe."""

from __future__ import annotations

import math
from datetime import date
from typing import Final

#: Espace insécable étroite (milliers) et insécable (avant « % », unités).
FINE: Final = "\u202f"
INSECABLE: Final = "\u00a0"
MOIS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre"),
    *("octobre", "novembre", "décembre"),
)
JOURS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def nombre(valeur: float, decimales: int = 0) -> str:
    """Nombre à la française : 12 345 ; 3,6 ; tiret sans valeur."""
    if not math.isfinite(valeur):
        return "–"
    texte = f"{valeur:,.{decimales}f}"
    if float(texte.replace(",", "")) == 0:
        texte = texte.lstrip("-")
    return texte.replace(",", FINE).replace(".", ",").replace("-", "\u2212")


def part(valeur: float, decimales: int = 1) -> str:
    """Part en pourcentage : 42,6 % ; une part incomplète n'est jamais arrondie à 100 %."""
    if not math.isfinite(valeur):
        return "–"
    pas = 10.0 ** -(decimales + 2)
    if 0 < valeur < 1:
        # « 100 % » et « 0 % » se lisent comme tous et personne.
        valeur = min(max(round(valeur, decimales + 2), pas), 1 - pas)
    return f"{nombre(100 * valeur, decimales)}{INSECABLE}%"


def duree(secondes: float) -> str:
    """Durée : 12 min, 1 h 05, « inaccessible » pour l'infini, tiret sans donnée."""
    if math.isnan(secondes):
        return "–"
    if math.isinf(secondes):
        return "inaccessible"
    minutes = round(secondes / 60)
    if minutes < 60:
        return f"{minutes}{INSECABLE}min"
    return f"{minutes // 60}{INSECABLE}h{INSECABLE}{minutes % 60:02d}"


def heure(secondes: float) -> str:
    """Heure d'horloge : 7 h 30 (au-delà de minuit, 25 h 10 reste 1 h 10 le lendemain)."""
    minutes = round(secondes / 60)
    lendemain = " le lendemain" if minutes >= 1440 else ""
    h, m = divmod(minutes % 1440, 60)
    suite = f"{INSECABLE}{m:02d}" if m else ""
    return f"{h}{INSECABLE}h{suite}{lendemain}"


def jour(valeur: date, *, semaine: bool = False) -> str:
    """Date : 1er mars 2026, ou mardi 17 mars 2026."""
    quantieme = "1er" if valeur.day == 1 else str(valeur.day)
    texte = f"{quantieme}{INSECABLE}{MOIS[valeur.month - 1]} {valeur.year}"
    return f"{JOURS[valeur.weekday()]} {texte}" if semaine else texte


def distance(metres: float) -> str:
    """Distance : 850 m, 3,6 km."""
    if not math.isfinite(metres):
        return "–"
    if metres < 995:
        return f"{nombre(round(metres, -1))}{INSECABLE}m"
    return f"{nombre(metres / 1000, 1)}{INSECABLE}km"


def surface(metres_carres: float) -> str:
    """Surface : 3,4 km², 12 ha."""
    if not math.isfinite(metres_carres):
        return "–"
    if metres_carres < 1e6:
        return f"{nombre(metres_carres / 1e4)}{INSECABLE}ha"
    return f"{nombre(metres_carres / 1e6, 1)}{INSECABLE}km²"


def pluriel(compte: float, singulier: str, forme_plurielle: str | None = None) -> str:
    """Nombre accordé : 1 habitant, 2 habitants (zéro et un sont au singulier)."""
    mot = singulier if abs(compte) < 2 else (forme_plurielle or singulier + "s")
    return f"{nombre(compte)}{INSECABLE}{mot}"


def de(nom: str) -> str:
    """Complément « de » élidé devant une voyelle : d'Artois, de Bruay, du Touquet, des Loges."""
    minuscule = nom.lower()
    if minuscule.startswith("le "):
        return f"du {nom[3:]}"
    if minuscule.startswith("les "):
        return f"des {nom[4:]}"
    if minuscule[:1] and minuscule[0] in "aeiouyàâäéèêëîïôöùûüœæ":
        return f"d’{nom}"
    return f"de {nom}"
