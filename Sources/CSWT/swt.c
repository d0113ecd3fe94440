#include "swt.h"
