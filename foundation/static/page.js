// On every page: moments in the viewer's zone, dialogs and menus, forms that are sent once, the
// present entry of the navigation in view.

import "./dialogs.js";
import "./navigation.js";
import "./sending.js";
import "./time.js";
