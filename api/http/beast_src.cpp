// The compiled half of Beast: with BOOST_BEAST_SEPARATE_COMPILATION every other file sees declarations only.
#ifdef BOOST_BEAST_SEPARATE_COMPILATION
#include <boost/beast/src.hpp>
#endif
