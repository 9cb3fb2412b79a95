/* Recherche d'un lieu par son nom, sur la carte : le choisir vaut un clic en ce lieu. Motif ARIA
   « combobox » : flèches pour parcourir, Entrée pour choisir, Échap pour fermer, « / » pour venir. */
"use strict";

window.DemiHeureRecherche = (function () {
  const DELAI_MS = 90;
  const ZOOM_MIN = 13; // niveau auquel une rue se lit

  function poser(carte, url) {
    const etat = { lieux: [], actif: -1, demande: 0, attente: 0, presse: false };
    const boite = document.createElement("div");
    boite.className = "recherche";
    boite.innerHTML = `
      <input id="recherche" type="search" role="combobox" autocomplete="off" spellcheck="false"
        placeholder="Commune, lieu ou rue" aria-label="Chercher un lieu : le choisir le prend pour départ"
        aria-expanded="false" aria-controls="recherche_liste" aria-autocomplete="list">
      <ul id="recherche_liste" role="listbox" aria-label="Lieux trouvés" hidden></ul>
      <div class="annonce" role="status" aria-live="polite"></div>`;
    const [champ, liste, annonce] = boite.children;
    const controle = L.control({ position: "topright" });
    controle.onAdd = () => boite;
    controle.addTo(carte);
    L.DomEvent.disableClickPropagation(boite);
    L.DomEvent.disableScrollPropagation(boite);

    function fermer() {
      liste.hidden = true;
      etat.actif = -1;
      champ.setAttribute("aria-expanded", "false");
      champ.removeAttribute("aria-activedescendant");
    }

    function montrer(texte) {
      liste.replaceChildren(...etat.lieux.map((lieu, rang) => {
        const ligne = document.createElement("li");
        ligne.id = `recherche_${rang}`;
        ligne.setAttribute("role", "option");
        for (const [nom, contenu] of [["titre", lieu.titre], ["detail", lieu.detail]]) {
          const morceau = document.createElement("span");
          morceau.className = nom;
          morceau.textContent = contenu;
          ligne.append(morceau);
        }
        ligne.addEventListener("pointerdown", (geste) => geste.preventDefault());
        ligne.addEventListener("click", () => choisir(rang));
        return ligne;
      }));
      if (!etat.lieux.length) {
        const rien = document.createElement("li");
        rien.className = "rien";
        rien.textContent = "Aucun lieu de ce nom dans le territoire.";
        liste.append(rien);
      }
      const nombre = etat.lieux.length;
      annonce.textContent = nombre ? `${nombre} lieu${nombre > 1 ? "x" : ""} pour « ${texte} »` : "Aucun lieu";
      liste.hidden = false;
      champ.setAttribute("aria-expanded", "true");
      activer(nombre ? 0 : -1);
    }

    function activer(rang) {
      etat.actif = rang;
      [...liste.children].forEach((ligne, i) => ligne.setAttribute("aria-selected", String(i === rang)));
      if (rang < 0) champ.removeAttribute("aria-activedescendant");
      else {
        champ.setAttribute("aria-activedescendant", `recherche_${rang}`);
        liste.children[rang].scrollIntoView({ block: "nearest" });
      }
    }

    function choisir(rang) {
      const lieu = etat.lieux[rang];
      if (!lieu) return;
      champ.value = lieu.titre;
      etat.presse = false;
      fermer();
      const latlng = L.latLng(lieu.lat, lieu.lon);
      const loin = !carte.getBounds().pad(-0.1).contains(latlng);
      if (loin || carte.getZoom() < ZOOM_MIN) {
        carte.setView(latlng, Math.max(carte.getZoom(), ZOOM_MIN), { animate: false });
      }
      carte.fire("click", {
        latlng,
        layerPoint: carte.latLngToLayerPoint(latlng),
        containerPoint: carte.latLngToContainerPoint(latlng),
      });
    }

    async function demander() {
      const texte = champ.value.trim();
      const numero = ++etat.demande;
      if (texte.length < 2) {
        fermer();
        return;
      }
      const centre = carte.getCenter();
      const suite = new URLSearchParams({ q: texte.slice(0, 80), lon: centre.lng.toFixed(5), lat: centre.lat.toFixed(5) });
      try {
        const reponse = await fetch(`${url}?${suite}`);
        const contenu = await reponse.json();
        if (numero !== etat.demande) return;
        etat.lieux = reponse.ok ? contenu.lieux : [];
        montrer(texte);
        if (etat.presse) choisir(0);
      } catch {
        fermer();
      }
      etat.presse = false;
    }

    champ.addEventListener("input", () => {
      clearTimeout(etat.attente);
      fermer(); // les lieux montrés ne sont plus ceux du texte
      etat.attente = setTimeout(demander, DELAI_MS);
    });
    champ.addEventListener("focus", () => {
      champ.select();
      if (champ.value.trim().length >= 2 && liste.children.length) liste.hidden = false;
    });
    champ.addEventListener("blur", fermer);
    champ.addEventListener("keydown", (touche) => {
      const nombre = etat.lieux.length;
      const pas = { ArrowDown: 1, ArrowUp: -1 }[touche.key];
      if (pas && nombre && !liste.hidden) {
        activer((etat.actif + pas + nombre) % nombre);
      } else if (touche.key === "Enter") {
        // Entrée avant la réponse : le premier lieu, dès qu'elle arrive.
        if (liste.hidden) etat.presse = true;
        else choisir(etat.actif);
      } else if (touche.key === "Escape") {
        fermer();
      } else {
        touche.stopPropagation(); // la carte ne se déplace pas quand on écrit
        return;
      }
      touche.preventDefault();
      touche.stopPropagation();
    });
    document.addEventListener("keydown", (touche) => {
      if (touche.key !== "/" || touche.target === champ) return;
      touche.preventDefault();
      champ.focus();
    });
  }

  return { poser };
})();
