#include "fi/activations/hook_points.h"

#include <gtest/gtest.h>

namespace fi {
namespace {

TEST(HookPoints, NamesAndLayersAreOneAnother) {
  EXPECT_EQ(hook_point_after({20}), "resid_post.20");
  EXPECT_EQ(hook_point_after({3, 12, 20}), "resid_post.3+12+20");
  EXPECT_EQ(layers_of_hook_point("resid_post.20"), (LayerGroup{20}));
  EXPECT_EQ(layers_of_hook_point("resid_post.3+12+20"), (LayerGroup{3, 12, 20}));
  EXPECT_EQ(parse_layers("20+3+20"), (LayerGroup{3, 20}));
}

TEST(HookPoints, AnythingElseIsNoLayer) {
  for (const char* junk : {"", "x", "1+", "+1", "1++2", "1,2", "-1", "1.5", "99999999999999999999", "100000"})
    EXPECT_FALSE(parse_layers(junk)) << junk;
  for (const char* other : {"", "mlp_out.3", "resid_post", "resid_post.", "resid_post.x", "resid_pre.3"})
    EXPECT_FALSE(layers_of_hook_point(other)) << other;
}

}  // namespace
}  // namespace fi
