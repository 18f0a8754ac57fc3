"""From a name to an object: discovery, parameters, source, settings, the catalogue, new plugins from templates."""
