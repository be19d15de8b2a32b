// The page of a kit. Its modules do one thing each, and are loaded on this page alone.
import "./kit_changes.js";
import "./kit_library.js";
import "./kit_play.js";
import "./pad_dragging.js";
import "./pad_keys.js";
import "./pad_positions.js";
import "./pad_selection.js";
import "./patterns.js";
