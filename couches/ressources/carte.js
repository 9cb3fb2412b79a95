/* Carte du visualiseur : ce qui change (carreaux, lieux, isochrones, cadrage) est mis à jour sur la
   carte déjà affichée, sans la reconstruire. Aucune adresse extérieure au serveur. */
"use strict";

window.DemiHeure = (function () {
  const MARGE = 0.25; // part de la vue chargée au-delà de chaque bord
  const DELAI_VUE_MS = 20;
  const MARGE_CADRE = 12; // pixels laissés autour d'une zone recadrée
  const TAILLE_MAX = 4000;
  const memoire = { carte: null, base: null, consigne: {}, lieux: null, isochrones: new Map() };

  /* Image unique couvrant la vue, redemandée à l'échelle voulue ; l'ancienne reste affichée jusqu'à
     ce que la nouvelle soit prête. */
  const ImageDeVue = L.Layer.extend({
    initialize(gabarit, options) {
      this.gabarit = gabarit;
      L.setOptions(this, options);
    },
    onAdd(carte) {
      this._demande = 0;
      this._actualiser();
    },
    onRemove() {
      this._demande += 1;
      if (this._image) this._image.remove();
      this._image = null;
    },
    getEvents() {
      return { moveend: this._bientot, resize: this._bientot, zoomend: this._masquer };
    },
    /* Des noms grossis plusieurs fois gênent plus que leur absence d'un instant. */
    _masquer() {
      if (!this._image || !this.options.net) return;
      const ecart = Math.abs(this._map.getZoom() - this._zoom);
      if (ecart >= 0.75) this._image.setOpacity(0);
    },
    changer(gabarit) {
      if (gabarit === this.gabarit) return;
      this.gabarit = gabarit;
      if (this._map) this._actualiser();
    },
    setOpacity(opacite) {
      this.options.opacity = opacite;
      if (this._image) this._image.setOpacity(opacite);
    },
    _bientot() {
      clearTimeout(this._attente);
      this._attente = setTimeout(() => this._map && this._actualiser(), DELAI_VUE_MS);
    },
    _actualiser() {
      const carte = this._map;
      const taille = carte.getSize();
      if (!taille.x || !taille.y) return;
      const bornes = carte.getBounds().pad(MARGE);
      const so = L.CRS.EPSG3857.project(bornes.getSouthWest());
      const ne = L.CRS.EPSG3857.project(bornes.getNorthEast());
      const echelle = Math.min(1, TAILLE_MAX / (taille.x * (1 + 2 * MARGE)));
      const largeur = Math.round(taille.x * (1 + 2 * MARGE) * echelle);
      const hauteur = Math.round((largeur * (ne.y - so.y)) / (ne.x - so.x));
      const emprise = [so.x, so.y, ne.x, ne.y].map((v) => v.toFixed(1)).join(",");
      const separateur = this.gabarit.includes("?") ? "&" : "?";
      const url = `${this.gabarit}${separateur}emprise=${emprise}&largeur=${largeur}&hauteur=${hauteur}`;
      const numero = ++this._demande;
      const zoom = carte.getZoom();
      const chargee = new Image();
      chargee.onload = () => {
        if (numero !== this._demande || !this._map) return;
        const neuve = L.imageOverlay(url, bornes, {
          pane: this.options.pane,
          opacity: this.options.opacity,
          className: this.options.className || "",
          interactive: false,
        }).addTo(carte);
        if (this._image) this._image.remove();
        this._image = neuve;
        this._zoom = zoom;
        carte.fire("demiheure:image", { couche: this.options.nom });
      };
      chargee.fetchPriority = "high";
      chargee.src = url;
    },
  });

  function creerPanneau(carte, nom, rang, cliquable) {
    const panneau = carte.getPane(nom) || carte.createPane(nom);
    panneau.style.zIndex = rang;
    panneau.style.pointerEvents = cliquable ? "" : "none";
    return panneau;
  }

  function demarrer(carte, base) {
    memoire.carte = carte;
    memoire.base = base;
    document.documentElement.lang = "fr";
    document.body.classList.toggle("projecteur", base.projecteur);
    carte.attributionControl.setPrefix(false);
    carte.getContainer().setAttribute("role", "application");
    carte.getContainer().setAttribute("aria-label", base.titre);
    creerPanneau(carte, "carreaux", 250);
    creerPanneau(carte, "reperes", 450);
    creerPanneau(carte, "lieux", 440, true);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(carte);
    memoire.carreaux = new ImageDeVue("", { pane: "carreaux", opacity: 0.8, nom: "carreaux" });
    memoire.reperes = new ImageDeVue(base.reperes, { pane: "reperes", opacity: 1, nom: "reperes", net: true });
    memoire.bulle = L.tooltip({ className: "bulle", direction: "top", offset: [0, -6] });
    carte.on("click", surClic);
    carte.on("moveend", surVue);
    // Pas l'événement de Leaflet : sur un canevas, il perd le dernier d'une suite de mouvements.
    carte.getContainer().addEventListener("mousemove", (mouvement) => {
      if (mouvement.target.closest(".leaflet-control, .legende, .recherche")) cacherBulle();
      else surSurvol({ latlng: carte.mouseEventToLatLng(mouvement) });
    });
    carte.on("mouseout movestart", cacherBulle);
    document.addEventListener("keydown", transmettreTouche);
    window.DemiHeureCalques.demarrer(carte, { ImageDeVue, creerPanneau });
    carte.zoomControl.getContainer().querySelector(".leaflet-control-zoom-in").title = "Agrandir";
    carte.zoomControl.getContainer().querySelector(".leaflet-control-zoom-out").title = "Réduire";
    for (const geste of ["pointerdown", "wheel", "keydown"]) {
      carte.getContainer().addEventListener(geste, () => { memoire.main = true; }, { passive: true });
    }
    new ResizeObserver(() => {
      carte.invalidateSize({ pan: false });
      // Le cadre prend sa taille après coup : tant que l'utilisateur n'a rien touché, on recadre.
      if (!memoire.main && memoire.dernierCadrage) cadrer(memoire.dernierCadrage);
    }).observe(carte.getContainer());
  }

  function montrer(couche, oui) {
    const presente = memoire.carte.hasLayer(couche);
    if (oui && !presente) memoire.carte.addLayer(couche);
    if (!oui && presente) memoire.carte.removeLayer(couche);
  }

  /* Appliquer l'état voulu par le serveur ; ne touche que ce qui diffère. La première fois, le cadre
     vient d'être posé : on attend qu'il ait sa taille, pour ne rien demander à une autre échelle. */
  function appliquer(consigne) {
    memoire.consigne = consigne;
    if (memoire.prete) return appliquerMaintenant();
    if (memoire.attente) return undefined;
    memoire.attente = true;
    attendreTaille(() => {
      memoire.prete = true;
      memoire.carte.invalidateSize({ pan: false });
      appliquerMaintenant();
    });
    return undefined;
  }

  /* Deux thèmes l'un sur l'autre ne se lisent pas : les carreaux s'effacent sous un isochrone. */
  function attenuerCarreaux() {
    const { carreaux, isochrones } = memoire.consigne;
    memoire.carreaux.setOpacity(carreaux.opacite * (isochrones.length ? 0.3 : 1));
  }

  function attendreTaille(suite) {
    let derniere = "";
    let stable = 0;
    const mesurer = () => {
      const { clientWidth, clientHeight } = memoire.carte.getContainer();
      const taille = `${clientWidth}×${clientHeight}`;
      stable = taille === derniere && clientWidth > 0 && clientHeight > 0 ? stable + 1 : 0;
      derniere = taille;
      if (stable >= 3) suite();
      else setTimeout(mesurer, 25);
    };
    mesurer();
  }

  function appliquerMaintenant() {
    const consigne = memoire.consigne;
    const { carreaux, reperes } = consigne;
    const avant = window.DemiHeureCalques.largeurLegende();
    window.DemiHeureCalques.appliquer(consigne.calques);
    if (consigne.cadrage && consigne.cadrage.numero !== memoire.cadrage) {
      memoire.cadrage = consigne.cadrage.numero;
      memoire.main = false;
      cadrer(consigne.cadrage);
    } else {
      degager(avant);
    }
    appliquerFond(consigne.fond);
    memoire.carreaux.changer(carreaux.gabarit);
    attenuerCarreaux();
    montrer(memoire.carreaux, carreaux.visible);
    memoire.reperes.changer(reperes.gabarit);
    montrer(memoire.reperes, reperes.visible);
    appliquerLieux(consigne.lieux);
    appliquerIsochrones(consigne.isochrones);
    document.body.classList.toggle("pointage", Boolean(consigne.clic));
  }

  function appliquerFond(fond) {
    if (memoire.gabaritFond === fond.gabarit) return;
    memoire.gabaritFond = fond.gabarit;
    const ancien = memoire.fond;
    memoire.fond = L.tileLayer(fond.gabarit, {
      tileSize: fond.taille,
      zoomOffset: fond.taille === 512 ? -1 : 0,
      minZoom: memoire.base.zoom_min,
      maxZoom: memoire.base.zoom_max,
      maxNativeZoom: fond.zoom_max,
      attribution: fond.mention,
      keepBuffer: 3,
    }).addTo(memoire.carte);
    if (ancien) memoire.fond.once("load", () => ancien.remove());
    let echecs = 0;
    memoire.fond.on("tileerror", () => {
      echecs += 1;
      if (echecs !== 4 || !fond.secours) return;
      avertir(new Error("Ce fond demande internet, qui ne répond pas : retour au fond hors ligne."));
      appliquerFond(fond.secours);
    });
  }

  function cadrer(cadrage) {
    memoire.dernierCadrage = cadrage;
    if (cadrage.centre) {
      memoire.carte.setView(cadrage.centre, cadrage.zoom, { animate: false });
    } else {
      memoire.carte.fitBounds(cadrage.bornes, {
        animate: false,
        paddingTopLeft: [MARGE_CADRE, MARGE_CADRE],
        paddingBottomRight: [MARGE_CADRE + window.DemiHeureCalques.largeurLegende(), MARGE_CADRE],
      });
    }
  }

  /* La légende qui paraît cacherait l'est de la zone : tant que la main n'a pas bougé la carte, elle
     glisse vers le vide de gauche, sans changer d'échelle. */
  function degager(avant) {
    const bornes = memoire.dernierCadrage && memoire.dernierCadrage.bornes;
    if (memoire.main || !bornes) return;
    const ecart = (window.DemiHeureCalques.largeurLegende() - avant) / 2;
    const libre = memoire.carte.latLngToContainerPoint([bornes[0][0], bornes[0][1]]).x - MARGE_CADRE;
    const pas = Math.min(ecart, Math.max(0, libre));
    if (pas) memoire.carte.panBy([pas, 0], { animate: false });
  }

  async function lireJson(url) {
    const reponse = await fetch(url);
    const contenu = await reponse.json();
    if (!reponse.ok) throw new Error(contenu.message || "Le serveur n'a pas répondu.");
    return contenu;
  }

  function appliquerLieux(lieux) {
    if (memoire.lieux && memoire.lieux.url === lieux.url) {
      montrer(memoire.lieux.groupe, lieux.visible);
      return;
    }
    if (memoire.lieux) memoire.lieux.groupe.remove();
    const groupe = L.layerGroup();
    memoire.lieux = { url: lieux.url, groupe };
    montrer(groupe, lieux.visible);
    const rendu = L.canvas({ pane: "lieux", padding: 0.3 });
    lireJson(lieux.url).then((contenu) => {
      if (memoire.lieux.groupe !== groupe) return;
      const rayon = memoire.base.projecteur ? 6 : 4.5;
      contenu.lieux.forEach(([lon, lat, couleur, nom]) => {
        const point = L.circleMarker([lat, lon], {
          renderer: rendu, radius: rayon, weight: 1.5, color: "#ffffff",
          fillColor: couleur, fillOpacity: 1, pane: "lieux",
        });
        point.bindTooltip(() => texteSeul(nom), { className: "bulle", direction: "top" });
        groupe.addLayer(point);
      });
    }, avertir);
  }

  /* Un texte venu des données n'est jamais lu comme du HTML. */
  function texteSeul(texte) {
    const element = document.createElement("span");
    element.textContent = texte;
    return element;
  }

  function melanger(couleur, part) {
    const v = [1, 3, 5].map((i) => parseInt(couleur.slice(i, i + 2), 16));
    return `rgb(${v.map((c) => Math.round(c + (255 - c) * part)).join(",")})`;
  }

  function appliquerIsochrones(voulues) {
    const adresses = new Set(voulues.map((v) => v.url));
    for (const [url, dessin] of memoire.isochrones) {
      if (!adresses.has(url)) {
        dessin.groupe.remove();
        memoire.isochrones.delete(url);
      }
    }
    voulues.forEach(dessinerIsochrone);
  }

  function dessinerIsochrone(voulue) {
    const deja = memoire.isochrones.get(voulue.url);
    if (deja) {
      if (deja.rang === voulue.rang) return;
      deja.groupe.remove();
    }
    const carte = memoire.carte;
    const nom = `isochrone-${voulue.rang}`;
    creerPanneau(carte, nom, 400 + voulue.rang).style.opacity = memoire.base.opacite_isochrone;
    const groupe = L.layerGroup().addTo(carte);
    memoire.isochrones.set(voulue.url, { groupe, rang: voulue.rang });
    const couleur = memoire.base.couleurs_isochrones[
      voulue.rang % memoire.base.couleurs_isochrones.length
    ];
    voulue.points.forEach(([lon, lat], i) => {
      const icone = L.divIcon({
        className: "origine",
        html: `<span style="background:${couleur}">${voulue.numero + i}</span>`,
        iconSize: [26, 26],
      });
      groupe.addLayer(L.marker([lat, lon], { icon: icone, interactive: false, keyboard: false }));
    });
    lireJson(voulue.url).then((contenu) => {
      if (memoire.isochrones.get(voulue.url)?.groupe !== groupe) return;
      const rendu = L.svg({ pane: nom, padding: 0.5 });
      const bandes = contenu.features; // de la plus lointaine à la plus proche
      bandes.forEach((bande, i) => {
        const proche = bandes.length - 1 - i;
        groupe.addLayer(
          L.geoJSON(bande, {
            pane: nom, renderer: rendu, interactive: false,
            style: {
              renderer: rendu, className: "isochrone", color: "#ffffff", weight: 1.2,
              fillColor: melanger(couleur, bandes.length > 1 ? (0.72 * proche) / (bandes.length - 1) : 0),
              fillOpacity: 1,
            },
          })
        );
      });
      carte.fire("demiheure:isochrone", { url: voulue.url });
    }, (erreur) => {
      if (memoire.isochrones.get(voulue.url)?.groupe !== groupe) return;
      groupe.remove();
      memoire.isochrones.delete(voulue.url);
      avertir(erreur);
    });
  }

  function avertir(erreur) {
    let panneau = document.getElementById("avertissement");
    if (!panneau) {
      panneau = document.createElement("div");
      panneau.id = "avertissement";
      panneau.setAttribute("role", "alert");
      document.body.appendChild(panneau);
    }
    panneau.textContent = erreur.message;
    panneau.hidden = false;
    clearTimeout(memoire.effacement);
    memoire.effacement = setTimeout(() => { panneau.hidden = true; }, 6000);
  }

  /* Le polygone est demandé dès le clic, sans attendre que la page se recalcule : elle demandera la
     même adresse, déjà dessinée. */
  function surClic(evenement) {
    const clic = memoire.consigne.clic;
    if (!clic) return;
    const point = [Number(evenement.latlng.lng.toFixed(5)), Number(evenement.latlng.lat.toFixed(5))];
    const gardes = clic.garder ? clic.points : [];
    if (gardes.length >= clic.points_max) return;
    const points = clic.fusion ? [...gardes, point] : [point];
    const texte = points.map((p) => p.map((v) => v.toFixed(5)).join(",")).join(";");
    const neuve = {
      url: clic.gabarit.replace("POINTS", texte),
      points,
      rang: clic.fusion ? 0 : gardes.length,
      numero: clic.fusion ? 1 : gardes.length + 1,
    };
    const autres = clic.garder && !clic.fusion ? memoire.consigne.isochrones : [];
    memoire.consigne.isochrones = [...autres, neuve];
    clic.points = [...gardes, point];
    appliquerIsochrones(memoire.consigne.isochrones);
    attenuerCarreaux();
  }

  function surVue() {
    clearTimeout(memoire.vue);
    memoire.vue = setTimeout(() => {
      const centre = memoire.carte.getCenter();
      const vue = [centre.lat.toFixed(5), centre.lng.toFixed(5), memoire.carte.getZoom()].join(",");
      fetch(`${memoire.base.vue}?vue=${vue}`, { method: "POST" });
      const adresse = new URL(window.parent.location.href);
      adresse.searchParams.set("vue", vue);
      window.parent.history.replaceState(window.parent.history.state, "", adresse);
    }, 250);
  }

  function cacherBulle() {
    clearTimeout(memoire.survol);
    memoire.survol = null;
    memoire.bulle.remove();
  }

  function surSurvol(evenement) {
    clearTimeout(memoire.survol);
    memoire.bulle.remove();
    if (!memoire.consigne.carreaux) return;
    const { valeur, visible } = memoire.consigne.carreaux;
    const { lat, lng } = evenement.latlng;
    const objets = window.DemiHeureCalques.adresseObjets(evenement.latlng);
    const carreau = visible && valeur ? `${valeur}&lon=${lng.toFixed(5)}&lat=${lat.toFixed(5)}` : "";
    if (!objets && !carreau) return;
    const survol = setTimeout(async () => {
      const lire = (url) => (url ? lireJson(url).catch(() => ({})) : {});
      const [dessus, dessous] = await Promise.all([lire(objets), lire(carreau)]);
      if (survol !== memoire.survol) return;
      const blocs = [...(dessus.blocs || []), dessous.lignes || []].filter((b) => b.length);
      if (!blocs.length) return;
      const bulle = document.createElement("div");
      blocs.forEach((lignes) => {
        const bloc = bulle.appendChild(document.createElement("section"));
        lignes.forEach((ligne) => bloc.appendChild(document.createElement("div")).append(ligne));
      });
      memoire.bulle.setLatLng(evenement.latlng).setContent(bulle).addTo(memoire.carte);
    }, 180);
    memoire.survol = survol;
  }

  /* Télécommande : suivant et précédent valent aussi quand la carte a le focus. */
  function transmettreTouche(evenement) {
    if (!["PageUp", "PageDown"].includes(evenement.key)) return;
    evenement.preventDefault();
    window.parent.document.dispatchEvent(
      new KeyboardEvent("keydown", { key: evenement.key, code: evenement.code, bubbles: true })
    );
  }

  return { demarrer, appliquer };
})();
