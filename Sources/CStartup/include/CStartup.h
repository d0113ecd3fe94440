// SPDX-License-Identifier: Apache-2.0
#pragma once
// Nothing to call: linking it is enough. See startup.c.
