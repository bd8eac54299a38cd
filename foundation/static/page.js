// On every page: moments in the viewer's zone, dialogs and menus, forms that are sent once.

import "./dialogs.js";
import "./sending.js";
import "./time.js";
